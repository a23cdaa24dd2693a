//! 章程: the charter of an alliance that its convenor has published, for every seat to read. The alliance itself stays with those who take
//! part, so what is public is a record of its own, one for each alliance.

use heliu_record::command::Makes;
use heliu_record::id::Preimage;
use heliu_record::prelude::*;

use crate::alliance::{self, CHARTER, CONVENOR};
use crate::words::{ALLIANCE, CHARTERS, ORG};

static NAME: FieldOf<String> =
    mv("name", name(80), "联盟名称", "alliance").help("是哪个联盟的章程", "whose charter it is").required().sought();
static OF: FieldOf<RecordId> =
    mv("alliance", record(ALLIANCE), "所属联盟", "alliance").help("联盟的记录", "the alliance's record").required();
static BY: FieldOf<RecordId> = mv("convenor", ORG, "召集组织", "convenor").help("公布者", "who has published it");
static TEXT: FieldOf<String> =
    lww("text", text(4_000), "章程", "charter").help("公布的全文", "all of it, as it was published");
static PUBLISHED_ON: FieldOf<String> =
    mv("published_on", PAST, "公布日期", "published on").help("最近一次公布之日", "when it was published last");

static KIND: Kind =
    Kind::scoped(CHARTERS, 1, "召集组织公布的联盟章程", "the charter of an alliance, as its convenor has published it")
        .public()
        .keyed("alliance.publish_charter")
        .with(fields![NAME, OF, BY, TEXT, PUBLISHED_ON]);
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&NO_CHARTER]);

static COMMANDS: &[Command] = &[Command {
    makes: Makes::Kind(CHARTERS),
    ..about(ALLIANCE, "alliance.publish_charter", "公布章程", "publish the charter", publish)
        .help(
            "由召集组织公布,所有席位可见;联盟的其他内容仍只限成员单位",
            "by its convenor, for every seat to read; all else of the alliance stays with those who take part",
        )
        .takes(&[optional_field(&PUBLISHED_ON.field, "公布日期,默认今日", "when (default: today)")])
}];
static NO_CHARTER: Message = message("no_charter")
    .what("“{0}”还没有章程。", "{0:?} has no charter yet.")
    .why("公布的是已填写的章程。", "What is published is what it says.")
    .next("请先填写 charter。", "Set its charter first.");

fn publish(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = planner.subject()?;
    let text = CHARTER.read(&alliance.history).ok_or_else(|| NO_CHARTER.about(&[alliance.title().into()]))?;
    let key = alliance.id.0.to_vec();
    let preimage = Preimage { kind: CHARTERS.name.to_owned(), birth: planner.owner_of(alliance), key };
    let charter = planner.the_only(&KIND, preimage);
    planner.set(charter, &NAME, alliance::NAME.read(&alliance.history).unwrap_or_else(|| alliance.title()));
    planner.set(charter, &OF, alliance.id);
    planner.set(charter, &TEXT, text);
    planner.set(charter, &PUBLISHED_ON, planner.text_or_today(PUBLISHED_ON.field.name));
    if let Some(convenor) = CONVENOR.read(&alliance.history) {
        planner.set(charter, &BY, convenor);
    }
    planner.note_record(charter);
    Ok(())
}
