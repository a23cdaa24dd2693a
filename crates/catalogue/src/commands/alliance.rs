//! Alliances: formed by a convenor, joined and left by each participant for itself.

use crate::commands::org::live;
use crate::kinds::alliance::{Alliance, FORMS, KIND};
use crate::kinds::org::ORG;
use crate::kinds::resource::Resource;
use crate::kinds::word;
use heliu_record::change::{Container, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::command::{Argument, Command, Makes, Subject};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::{ValueType, label};
use heliu_record::view::Record;

pub static COMMANDS: &[Command] = &[
    Command {
        name: "alliance.form",
        label: label("组建联盟", "form an alliance"),
        help: label("由召集组织建立,并邀请各席位", "made by its convenor, who invites seats"),
        subject: Subject::None,
        makes: Makes::Kind(word::ALLIANCE),
        arguments: &[
            Argument::required("name", ValueType::Text(80), label("名称", "its name")),
            Argument::required("convenor", ORG, label("召集组织", "the organisation that convenes it")),
            Argument::optional("seats", ValueType::Seat, label("邀请的席位", "the seats to invite")).many(),
            Argument::optional("alliance_kind", FORMS, label("形式", "its kind")),
        ],
        takes_fields: false,
        run: form,
    },
    Command {
        name: "alliance.join",
        label: label("加入联盟", "join an alliance"),
        help: label("受邀席位的组织加入", "an organisation of an invited seat joins"),
        subject: Subject::Of(word::ALLIANCE),
        makes: Makes::Nothing,
        arguments: &[Argument::required("org", ORG, label("加入的组织", "the organisation"))],
        takes_fields: false,
        run: join,
    },
    Command {
        name: "alliance.leave",
        label: label("退出联盟", "leave an alliance"),
        help: label("只结束自己的参加", "ends one's own participation only"),
        subject: Subject::Of(word::ALLIANCE),
        makes: Makes::Nothing,
        arguments: &[Argument::required("org", ORG, label("退出的组织", "the organisation"))],
        takes_fields: false,
        run: leave,
    },
    Command {
        name: "alliance.add_resource",
        label: label("共享资源", "share a resource"),
        help: label("把自己的资源列入联盟,成员单位即可申请", "lists one's resource; participants can then ask for it"),
        subject: Subject::Of(word::ALLIANCE),
        makes: Makes::Nothing,
        arguments: &[Argument::required("resource", ValueType::Record(word::RESOURCE), label("资源", "the resource"))],
        takes_fields: false,
        run: add_resource,
    },
];

fn form(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let convenor = live(planner, planner.need_record("convenor")?)?;
    let owner = planner.owner_of(convenor);
    let alliance = planner.create(&KIND, owner);
    for name in ["name", "alliance_kind", "convenor"] {
        planner.put_argument(alliance, &KIND, name);
    }
    let invited = planner.list("seats").filter_map(|t| ValueType::Seat.parse(t, planner.world().seats()));
    for seat in invited.filter_map(|s| heliu_record::value::seat_of(&s)).collect::<Vec<_>>() {
        planner.add_participant(alliance, seat);
    }
    take_part(planner, alliance, owner, convenor.id);
    Ok(())
}

fn join(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = planner.subject()?.id;
    let org = live(planner, planner.need_record("org")?)?;
    let seat = planner.owner_of(org);
    take_part(planner, alliance, seat, org.id);
    if planner.world().record(alliance).is_some_and(|r| !r.history.visible(Container::Slot, &left_key(seat)).is_empty())
    {
        planner.put(alliance, Container::Slot, left_key(seat), Scalar::Null);
    }
    Ok(())
}

fn leave(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, alliance) = subject(planner)?;
    let org = planner.need_record("org")?;
    let term = alliance.participants.iter().find(|(_, p)| p.org == Some(org) && p.left_on.is_none());
    let Some((seat, _)) = term else {
        return Err(Refusal::new(
            "not_participant",
            (
                format!("该组织不在“{}”中。", record.title()),
                format!("That organisation is not in {:?}.", record.title()),
            ),
            ("只有成员单位才能退出。", "Only a participant can leave."),
            ("请核对组织编号。", "Check the organisation's id."),
        ));
    };
    let today = planner.today();
    planner.put(record.id, Container::Slot, left_key(*seat), today);
    Ok(())
}

fn add_resource(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, _) = subject(planner)?;
    let resource = planner.load_kind(planner.need_record("resource")?, word::RESOURCE)?;
    let withdrawn = resource.read_as::<Resource>().is_some_and(|r| r.withdrawn.is_some());
    let seats = planner.world().seats();
    if withdrawn || !resource.view.owners.iter().any(|owner| seats.is_at_or_above(planner.seat(), *owner)) {
        return Err(Refusal::new(
            "not_shared",
            (format!("“{}”不能列入联盟。", resource.title()), format!("{:?} cannot be listed.", resource.title())),
            ("它已收回,或不属于本席位。", "It is withdrawn, or it is not this seat's."),
            ("请由资源所有者办理。", "Have its owner do it."),
        ));
    }
    planner.put_member(record.id, Container::Aws, format!("resources/{}", resource.id), true);
    // Whoever may see the alliance may then ask for the resource.
    for seat in record.view.owners.iter().chain(&record.view.seats) {
        if !resource.view.owners.contains(seat) {
            planner.add_participant(resource.id, *seat);
        }
    }
    Ok(())
}

fn subject<'a>(planner: &Planner<'a>) -> Result<(&'a Record, &'a Alliance), Refusal> {
    let record = planner.subject()?;
    let alliance = record.read_as::<Alliance>().ok_or_else(|| Refusal::wrong_kind(record, word::ALLIANCE))?;
    Ok((record, alliance))
}

fn take_part(planner: &mut Planner<'_>, alliance: RecordId, seat: SeatId, org: RecordId) {
    let today = planner.today();
    planner.put(alliance, Container::Slot, format!("participants/{seat}/org"), Scalar::Bytes(org.0.to_vec()));
    planner.put(alliance, Container::Slot, format!("participants/{seat}/joined_on"), today);
}

fn left_key(seat: SeatId) -> String {
    format!("participants/{seat}/left_on")
}
