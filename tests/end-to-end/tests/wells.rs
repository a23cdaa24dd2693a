//! A kind that nothing else in this repository knows of, in this one file: declared with its states, its commands and a rule across
//! records, made, imported, listed, refused, replicated, in conflict and settled; and relayed by a township that does not know it.

use std::sync::LazyLock;

use end_to_end::county::County;
use end_to_end::patience::until_ok;
use heliu_record::prelude::*;

const WELL: Word = word("well", "水井", "well");
static NAME: FieldOf<String> = mv("name", text(40), "名称", "name").required();
static FED_BY: FieldOf<RecordId> = lww("fed_by", record(WELL), "水源", "fed by");
static CONDITION: StateOf = state("condition", &CONDITIONS, "状况", "condition");
static CONDITIONS: StateMachine = StateMachine {
    states: &[
        State::new("open", label("可用", "open"), 0, OWNER, &[]),
        State::new("closed", label("停用", "closed"), 1, OWNER, &["open"]),
    ],
};
static KIND: Kind = Kind::scoped(WELL, 1, "村里的水井", "a well of a village")
    .with(fields![NAME, FED_BY, CONDITION])
    .read_by_others(fields![CONDITION]);
static WELLS: Section = section(&[&KIND], COMMANDS, &[RULE], &[SETTLER], &[&DRY]);

static COMMANDS: &[Command] = &[
    makes(WELL, "well.dig", "打井", "dig a well", |planner| {
        let well = planner.create(&KIND, planner.seat());
        planner.fill(well, &KIND);
        match planner.record_argument("fed_by").filter(|spring| is_closed(*spring, planner.world())) {
            Some(spring) => Err(DRY.about(&[title(spring, planner.world())])),
            None => Ok(()),
        }
    })
    .takes(&[required_field(&NAME.field, "名称", "its name"), optional_field(&FED_BY.field, "水源", "what feeds it")]),
    about(WELL, "well.close", "停用水井", "close a well", |planner| {
        planner.decide(planner.subject()?, "condition", "closed")
    }),
];
static DRY: Message = message("well_dry")
    .what("“{0}”已停用。", "{0:?} is closed.")
    .why("停用的井没有水。", "A closed well feeds none.")
    .next("请另选水源。", "Choose another.");

const FED_BY_CLOSED: Word = word("FED_BY_CLOSED", "水源已停用", "fed by a closed well");
const RULE: Rule = rule(WELL, &[FED_BY_CLOSED], |well, world| {
    let spring = FED_BY.read(&well.history).filter(|spring| is_closed(*spring, world));
    let finding = spring.filter(|_| !is_closed(well.id, world)).map(|spring| {
        Finding::advisory(&FED_BY_CLOSED, well, "fed_by")
            .between(ConflictValue::each(well, &FED_BY.ops(&well.history), "close", world))
            .settled_by(well.view.owners.first().copied())
            .naming([spring])
            .says(
                "“{0}”的水源“{1}”已停用。",
                "{0:?} is fed by {1:?}, which is closed.",
                &[well.title().into(), title(spring, world)],
            )
    });
    finding.into_iter().collect()
})
.help("水源已停用的水井", "a well whose source was closed");
const SETTLER: Settler = settler(FED_BY_CLOSED.name, |planner, conflict, _| {
    planner.decide(planner.load(conflict.subject)?, "condition", "closed")
})
.choices(&[word("close", "一并停用", "close it too")]);

fn is_closed(well: RecordId, world: &dyn World) -> bool {
    world.record(well).is_some_and(|well| CONDITION.read(&well.history).state.name == "closed")
}

fn with_wells() -> &'static Catalogue {
    static ALL: LazyLock<Catalogue> =
        LazyLock::new(|| Catalogue::new(&[heliu_catalogue::SECTIONS, &[&WELLS]].concat()).expect("it hangs together"));
    &ALL
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_in_one_file_is_all_that_a_kind_is_and_who_does_not_know_it_passes_it_on() {
    let knows = |name: &str| if name == "T1" { heliu_catalogue::catalogue() } else { with_wells() };
    let county = County::start_knowing(&[("C", ""), ("T1", "C"), ("V11", "T1")], &[], knows).await;
    let spring = county.at("V11").makes("well.dig", &[("name", "泉")]).await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "名称,水源\n东井,泉\n西井,泉\n").expect("it is ours");
    let path = file.path().to_str().expect("temporary paths are plain");
    let _ = county.says("V11", &["import", "well", path]).await.exits(0);
    let _ = county.says("V11", &["list", "well"]).await.exits(0).answers("东井").answers("condition");
    std::fs::write(file.path(), "名称,水源\n南井,没有的井\n").expect("it is ours");
    let _ = county.says("V11", &["import", "well", path]).await.exits(2).complains("没有的井");

    // The county has them by way of the township, which keeps them and cannot read them.
    let arrived = until_ok(async || match county.at("C").list("well").await.len() {
        3 => Ok(()),
        found => Err(format!("{found} wells are there")),
    });
    arrived.await.expect("all three arrive");
    let kept = county.says("T1", &["get", &spring]).await.exits(0).answers("well");
    assert!(!kept.out.contains("泉"), "{kept:?}");

    county.at("V11").does("well.close", &spring, &[]).await;
    county.at("V11").is_refused("already", "well.close", &spring, &[]).await;
    county.at("V11").is_refused("well_dry", "well.dig", "", &[("name", "北井"), ("fed_by", &spring)]).await;
    let found = until_ok(async || match county.at("C").conflicts().await {
        found if found.len() == 2 => Ok(found),
        found => Err(format!("{found:?}")),
    });
    for conflict in found.await.expect("both wells have lost their source") {
        assert_eq!(conflict.kind, "FED_BY_CLOSED");
        county.at("C").settles(&conflict, "close").await;
        assert_eq!(county.at("C").view(&conflict.subject).await["condition"], "closed");
    }
    let settled = until_ok(async || match county.at("V11").conflicts().await {
        open if open.is_empty() => Ok(()),
        open => Err(format!("{open:?}")),
    });
    settled.await.expect("the village hears of it");
    county.ends().await;
}
