//! The story: what is prepared, what each side does while the links are cut. Every act is a command at a real node.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::{Seat, Tier};
use heliu_replication::effect::Done;

use super::ask::{Ask, Fault};
use super::cast::{Cast, Cycle, Double, Joint, League, Name};
use super::county::{County, Roll};
use super::words::Teller;
use crate::text::tr;

/// The branch is dissolved on this day, and somebody is admitted to it two days later.
const DISSOLVED_ON: &str = "2026-03-01";
const ADMITTED_ON: &str = "2026-03-03";
/// Members whom both sides edit in each village that is cut off.
const HARMLESS: usize = 3;

pub struct Story<'a> {
    pub county: &'a County,
    pub roll: &'a Roll,
    pub cast: &'a Cast,
    pub teller: &'a Teller,
}

/// What has to be there before the links are cut.
#[derive(Default)]
pub struct Props {
    joint: Option<RecordId>,
    league: Option<(RecordId, RecordId)>,
    enterprise: Option<RecordId>,
}

impl Story<'_> {
    /// While all links are up: the joint branch, the alliance with its booked hall, the enterprise's branch.
    pub async fn prepare(&self) -> Result<Props, Fault> {
        let mut props = Props::default();
        if let Some(part) = &self.cast.joint {
            props.joint = Some(self.form_joint(part).await?);
        }
        if let Some(part) = &self.cast.league {
            props.league = Some(self.form_league(part).await?);
        }
        if let Some(part) = &self.cast.cycle {
            props.enterprise = Some(self.found_enterprise(part).await?);
        }
        Ok(props)
    }

    /// Tells which links are cut.
    pub fn tell_cuts(&self) {
        if self.cast.cut.is_empty() {
            let small = tr!("这个县太小,演不了分歧的故事。", "This county is too small for a story of two sides.");
            return self.teller.say(&small);
        }
        let tier = |seat: &SeatId| self.county.at(*seat).seat.tier;
        let townships: Vec<&str> = self
            .cast
            .cut
            .iter()
            .filter(|seat| tier(seat) == Tier::Township)
            .map(|seat| self.county.name(*seat))
            .collect();
        let villages = self.cast.cut.iter().filter(|seat| tier(seat) == Tier::Village).count();
        if !townships.is_empty() {
            let names = townships.join(", ");
            self.teller.say(&tr!(
                "切断与县级的链路:{names}。它们与各自的村仍相通。",
                "Cut off from the county: {names}. They still reach their own villages."
            ));
        }
        self.teller.say(&tr!("另有 {villages} 个村离线。", "Villages that are offline altogether: {villages}."));
    }

    /// Both sides go on working, and do not know of each other.
    pub async fn act_apart(&self, props: &Props) -> Result<(), Fault> {
        if let Some(part) = &self.cast.double {
            self.move_twice(part).await?;
        }
        if let (Some(part), Some(joint)) = (&self.cast.joint, props.joint) {
            self.admit_late(part, joint).await?;
        }
        if let (Some(part), Some((league, hall))) = (&self.cast.league, props.league) {
            self.leave_league(part, league, hall).await?;
        }
        if let (Some(part), Some(enterprise)) = (&self.cast.cycle, props.enterprise) {
            self.turn_round(part, enterprise).await?;
        }
        if let Some(part) = &self.cast.name {
            self.rename_twice(part).await?;
        }
        let edits = self.edit_harmlessly().await?;
        if edits == 0 {
            return Ok(());
        }
        self.teller.say(&tr!(
            "此外两边各自照常办公:对断开的村的党员共改了 {edits} 处(上级编号,村里填学历),互不冲突。",
            "Besides, both sides go on with their work: {edits} edits of members of the cut-off villages (superiors give numbers, villages fill in education). They do not clash."
        ));
        Ok(())
    }

    async fn form_joint(&self, part: &Joint) -> Result<RecordId, Fault> {
        let [a, b] = part.units.map(|unit| self.county.name(unit));
        let ask = Ask::new("joint_branch.form")
            .with("name", &format!("{a}、{b}联合党支部"))
            .with("units", &format!("{},{}", part.units[0], part.units[1]));
        let joint = self.county.make(part.township, ask).await?;
        let seats = part.units.into_iter().chain([self.county.top().seat.id]);
        self.at_all(seats, joint, &[]).await?;
        let township = self.county.name(part.township);
        self.teller.say(&tr!("{township}组建联合党支部:{a}、{b}。", "{township} forms a joint branch of {a} and {b}."));
        Ok(joint)
    }

    async fn form_league(&self, part: &League) -> Result<(RecordId, RecordId), Fault> {
        let League { convenor, other, owner } = *part;
        let form = Ask::new("alliance.form")
            .with("name", "区域党建联盟")
            .with("form", "league")
            .with("convenor", self.branch(convenor))
            .with("seats", &format!("{other},{owner}"));
        let league = self.county.make(convenor, form).await?;
        for seat in [other, owner] {
            self.county.arrival(seat, league, &[]).await?;
            self.county.ask(seat, Ask::new("alliance.join").of(league).with("org", self.branch(seat))).await?;
        }
        let offer = Ask::new("resource.offer")
            .with("name", &format!("{}礼堂", self.county.name(owner)))
            .with("owner_org", self.branch(owner))
            .with("resource_kind", "hall")
            .with("capacity", 120);
        let hall = self.county.make(owner, offer).await?;
        self.county.ask(owner, Ask::new("alliance.add_resource").of(league).with("resource", hall)).await?;
        self.county.arrival(convenor, hall, &[]).await?;
        let booked = self.county.ask(convenor, self.booking(part, league, hall).with("use_on", "2026-07-01")).await?;
        self.county.arrival(owner, hall, &booked.leaves).await?;
        let confirm = Ask::new("booking.confirm").of(hall).with("booking", &entry(&booked));
        let confirmed = self.county.ask(owner, confirm).await?;
        self.county.arrival(convenor, hall, &confirmed.leaves).await?;
        let [convenor, other, owner] = [convenor, other, owner].map(|seat| self.county.name(seat));
        self.teller.say(&tr!(
            "{convenor}、{other}、{owner}结成联盟;{owner}共享礼堂,{convenor}已订妥七月一日使用。",
            "{convenor}, {other} and {owner} form an alliance; {owner} shares its hall, and {convenor} has a confirmed booking for 1 July."
        ));
        Ok((league, hall))
    }

    async fn found_enterprise(&self, part: &Cycle) -> Result<RecordId, Fault> {
        let (county, township) = (self.county.top().seat.id, part.township);
        let name = self.county.name(township);
        let mut found =
            Ask::new("org.create").with("name", &format!("{name}企业党支部")).with("org_kind", "enterprise");
        if let Some(committee) = self.roll.committees.get(&township) {
            found = found.with("parent_org", committee);
        }
        let enterprise = self.county.make(township, found).await?;
        self.county.arrival(county, enterprise, &[]).await?;
        self.teller.say(&tr!("{name}建立企业党支部。", "{name} founds a branch in an enterprise."));
        Ok(enterprise)
    }

    /// S1
    async fn move_twice(&self, part: &Double) -> Result<(), Fault> {
        let (county, Double { home, township, near, far }) = (self.county.top().seat.id, *part);
        let member = self.first_member(home);
        let letter = |number: &str, to: SeatId| {
            let ask = Ask::new("member.transfer.issue").of(member).with("to_org", self.branch(to));
            ask.with("letter_no", number).because("组织关系转接")
        };
        for (issuer, number, to) in [(township, "L1", near), (county, "L2", far)] {
            let issued = self.county.ask(issuer, letter(number, to)).await?;
            self.county.arrival(to, member, &issued.leaves).await?;
            let receive = Ask::new("member.transfer.receive").of(member).with("receipt", &format!("回执{number}"));
            self.county.ask(to, receive).await?;
        }
        let [top, home, township, near, far] = [county, home, township, near, far].map(|seat| self.county.name(seat));
        self.teller.say(&tr!(
            "重复转接:{home}的一名党员,{township}开介绍信 L1 转往{near},{near}已接收;{top}不知情,开 L2 转往{far},{far}也已接收。",
            "A member of {home} is moved twice: {township} writes letter L1 to {near}, which receives; {top}, unaware, writes L2 to {far}, which receives too."
        ));
        Ok(())
    }

    /// S2
    async fn admit_late(&self, part: &Joint, joint: RecordId) -> Result<(), Fault> {
        let (county, [a, b]) = (self.county.top().seat.id, part.units);
        let successors = [a, b].map(|unit| format!("{unit}={}", self.branch(unit))).join(",");
        let dissolve =
            Ask::new("org.dissolve").of(joint).with("effective_on", DISSOLVED_ON).with("successors", &successors);
        self.county.ask(county, dissolve).await?;
        let admit = Ask::new("member.register")
            .with("name", "测试迟0001")
            .with("branch", joint)
            .with("admitted_on", ADMITTED_ON);
        self.county.make(b, admit).await?;
        let [top, b] = [county, b].map(|seat| self.county.name(seat));
        self.teller.say(&tr!(
            "联合党支部:{top}自 {DISSOLVED_ON} 起撤销;离线的{b}不知情,{ADMITTED_ON} 又吸收了一人。",
            "The joint branch: {top} dissolves it from {DISSOLVED_ON}; {b}, offline, admits somebody to it on {ADMITTED_ON}."
        ));
        Ok(())
    }

    /// S4
    async fn leave_league(&self, part: &League, league: RecordId, hall: RecordId) -> Result<(), Fault> {
        let League { convenor, other, owner } = *part;
        self.county.ask(owner, Ask::new("alliance.leave").of(league).with("org", self.branch(owner))).await?;
        self.county.ask(owner, Ask::new("resource.withdraw").of(hall)).await?;
        let room = Ask::new("resource.offer")
            .with("name", &format!("{}活动室", self.county.name(other)))
            .with("owner_org", self.branch(other))
            .with("resource_kind", "room");
        let room = self.county.make(other, room).await?;
        self.county.ask(other, Ask::new("alliance.add_resource").of(league).with("resource", room)).await?;
        self.county.ask(convenor, self.booking(part, league, hall).with("use_on", "2026-07-15")).await?;
        let [convenor, other, owner] = [convenor, other, owner].map(|seat| self.county.name(seat));
        self.teller.say(&tr!(
            "联盟:离线的{owner}退出并收回礼堂;{other}加入一间活动室,{convenor}又申请了礼堂。",
            "The alliance: {owner}, offline, leaves and withdraws its hall; {other} adds a room, and {convenor} asks for the hall once more."
        ));
        Ok(())
    }

    /// S12
    async fn turn_round(&self, part: &Cycle, enterprise: RecordId) -> Result<(), Fault> {
        let (county, village) = (self.county.top().seat.id, self.branch(part.village));
        let put = |org: RecordId, under: RecordId| Ask::new("org.set_parent").of(org).with("parent_org", under);
        self.county.ask(part.township, put(enterprise, village)).await?;
        self.county.ask(county, put(village, enterprise)).await?;
        let [top, township, village] = [county, part.township, part.village].map(|seat| self.county.name(seat));
        self.teller.say(&tr!(
            "隶属成环:{township}把企业党支部划归{village}党组织;{top}反过来把{village}党组织划归企业党支部。",
            "A circle: {township} puts the enterprise's branch under {village}'s; {top} puts {village}'s under the enterprise's."
        ));
        Ok(())
    }

    async fn rename_twice(&self, part: &Name) -> Result<(), Fault> {
        let member = self.first_member(part.village);
        self.county.ask(part.village, Ask::set(member, "name", "测试甲壹").because("更正姓名")).await?;
        self.county.ask(part.township, Ask::set(member, "name", "测试甲一").because("更正姓名")).await?;
        let [township, village] = [part.township, part.village].map(|seat| self.county.name(seat));
        self.teller.say(&tr!(
            "同一名党员的姓名:离线的{village}改为“测试甲壹”,{township}改为“测试甲一”。",
            "One member's name: {village}, offline, writes 测试甲壹; {township} writes 测试甲一."
        ));
        Ok(())
    }

    /// In every village that cannot reach the county: the nearest superior beyond the cut gives numbers, the village
    /// fills in dates.
    async fn edit_harmlessly(&self) -> Result<u64, Fault> {
        let (top, cut) = (self.county.top().seat.id, &self.cast.cut);
        let villages = self.county.seats().filter(|seat| seat.tier == Tier::Village).filter_map(|village| {
            let parent = village.parent?;
            let beyond =
                if cut.contains(&village.id) { Some(parent) } else { Some(top).filter(|_| cut.contains(&parent)) };
            Some(self.edit_village(village, beyond?))
        });
        Ok(try_join_all(villages).await?.into_iter().sum())
    }

    async fn edit_village(&self, village: &Seat, beyond: SeatId) -> Result<u64, Fault> {
        // Not the first member, whom the story may need elsewhere.
        let members = self.roll.members.get(&village.id).into_iter().flatten().skip(1).take(HARMLESS);
        let mut edits = 0;
        for (number, member) in (2..).zip(members) {
            let code = format!("{}-{number:04}", village.code);
            self.county.ask(beyond, Ask::set(*member, "member_no", &code)).await?;
            self.county.ask(village.id, Ask::set(*member, "education", "senior_middle")).await?;
            edits += 2;
        }
        Ok(edits)
    }

    fn booking(&self, part: &League, league: RecordId, hall: RecordId) -> Ask {
        Ask::new("booking.request").of(hall).with("org", self.branch(part.convenor)).with("alliance", league)
    }

    /// Every village has a branch.
    fn branch(&self, village: SeatId) -> RecordId {
        self.roll.branches.get(&village).copied().unwrap_or(RecordId([0; 32]))
    }

    /// Only villages with members have a part.
    fn first_member(&self, village: SeatId) -> RecordId {
        self.roll.members.get(&village).and_then(|members| members.first().copied()).unwrap_or(RecordId([0; 32]))
    }

    async fn at_all(
        &self,
        seats: impl IntoIterator<Item = SeatId>,
        record: RecordId,
        leaves: &[heliu_record::id::LeafHash],
    ) -> Result<(), Fault> {
        let seats: BTreeSet<SeatId> = seats.into_iter().collect();
        for seat in seats {
            self.county.arrival(seat, record, leaves).await?;
        }
        Ok(())
    }
}

fn entry(done: &Done) -> String {
    done.result.get("entry").cloned().unwrap_or_default()
}
