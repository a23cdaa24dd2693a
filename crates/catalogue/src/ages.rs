//! 年龄统计: how old the members of a township are. Birth dates are sealed, and only the villages themselves and the township read them;
//! so the township counts, and what goes up is counts alone, of the township as a whole. What fewer than ten are of is told together.

use heliu_record::id::Preimage;
use heliu_record::prelude::*;

use crate::words::AGES;

/// Fewer are told together with others.
pub const CELL_MIN: i64 = 10;
/// Bands by the first age of each.
pub const BANDS: [(&str, i16, Label); 7] = [
    ("age_0", 0, label("30岁及以下", "30 and under")),
    ("age_31", 31, label("31-35岁", "31 to 35")),
    ("age_36", 36, label("36-45岁", "36 to 45")),
    ("age_46", 46, label("46-54岁", "46 to 54")),
    ("age_55", 55, label("55-59岁", "55 to 59")),
    ("age_60", 60, label("60-69岁", "60 to 69")),
    ("age_70", 70, label("70岁及以上", "70 and over")),
];

const COUNTED: &str = "counts";
static COUNTS: EntriesOf = entries(COUNTED, PARTS, DATE, TOWNSHIP, "历次统计", "counts")
    .help("每次统计的各年龄段人数", "how many there were of each age, time by time")
    .called(word("count", "统计", "count"), "statistics.count");
static COUNTED_ON: PartOf<String> = part(COUNTED, "counted_on", PAST, TOWNSHIP, "统计日期", "counted on");
static MERGED: PartOf<i64> = part(COUNTED, "merged", INT, TOWNSHIP, "合并的少数人数", "told together");
static AGE_0: PartOf<i64> = part(COUNTED, BANDS[0].0, INT, TOWNSHIP, "30岁及以下", "30 and under");
static AGE_31: PartOf<i64> = part(COUNTED, BANDS[1].0, INT, TOWNSHIP, "31-35岁", "31 to 35");
static AGE_36: PartOf<i64> = part(COUNTED, BANDS[2].0, INT, TOWNSHIP, "36-45岁", "36 to 45");
static AGE_46: PartOf<i64> = part(COUNTED, BANDS[3].0, INT, TOWNSHIP, "46-54岁", "46 to 54");
static AGE_55: PartOf<i64> = part(COUNTED, BANDS[4].0, INT, TOWNSHIP, "55-59岁", "55 to 59");
static AGE_60: PartOf<i64> = part(COUNTED, BANDS[5].0, INT, TOWNSHIP, "60-69岁", "60 to 69");
static AGE_70: PartOf<i64> = part(COUNTED, BANDS[6].0, INT, TOWNSHIP, "70岁及以上", "70 and over");
static PARTS: &[&Part] = parts![COUNTED_ON, MERGED, AGE_0, AGE_31, AGE_36, AGE_46, AGE_55, AGE_60, AGE_70];
static BAND_PARTS: [&PartOf<i64>; 7] = [&AGE_0, &AGE_31, &AGE_36, &AGE_46, &AGE_55, &AGE_60, &AGE_70];

static KIND: Kind =
    Kind::scoped(AGES, 1, "一个乡镇党员的年龄段人数", "how many members of a township are of which age")
        .with(fields![COUNTS]);
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&NOT_TOWNSHIP, &NO_DAY]);

static COMMANDS: &[Command] = &[makes(AGES, "statistics.count", "统计年龄", "count ages", count)
    .help(
        "由乡镇按有权查看的出生日期统计;只上报各年龄段人数,少于10人的合并",
        "a township counts the birth dates that it may read; only counts go up, and those below 10 together",
    )
    .takes(&[required("born", text(60_000), "出生日期,逗号分隔", "the birth dates, separated by commas").many()])];
static NOT_TOWNSHIP: Message = message("no_authority")
    .what("“{0}”不统计年龄。", "{0} does not count ages.")
    .why("由乡镇统计,不按村上报。", "The township does; nothing goes up by village.")
    .next("请由乡镇办理。", "Have it done by the township.");
static NO_DAY: Message = message("bad_value")
    .what("“{0}”不是出生日期。", "{0:?} is no birth date.")
    .why("出生日期写成 年-月-日。", "A birth date is written YYYY-MM-DD.")
    .next("请核对。", "Check it.");

fn count(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (seat, today) = (planner.seat(), planner.today().to_owned());
    if planner.world().seats().get(seat).is_none_or(|seat| seat.tier > Tier::Township) {
        return Err(NOT_TOWNSHIP.about(&[planner.world().seats().name(seat).into()]));
    }
    let mut counts = [0; BANDS.len()];
    for born in planner.list("born") {
        let band = band(born, &today).ok_or_else(|| NO_DAY.about(&[born.into()]))?;
        counts[band] += 1;
    }
    let merged = merge_small(&mut counts);
    let record = planner.the_only(&KIND, Preimage { kind: AGES.name.to_owned(), birth: seat, key: b"ages".to_vec() });
    let entry = planner.entry();
    planner.put_parts(record, &entry, [COUNTED_ON.with(&*today)]);
    planner.put_parts(record, &entry, (merged > 0).then(|| MERGED.with(merged)));
    let told = BAND_PARTS.iter().zip(counts).filter(|(_, count)| *count > 0);
    planner.put_parts(record, &entry, told.map(|(part, count)| part.with(count)).collect::<Vec<_>>());
    Ok(())
}

/// In which band somebody is on a day.
fn band(born: &str, today: &str) -> Option<usize> {
    if !date::is_date(born) || born > today {
        return None;
    }
    let has_come_to =
        |age: &i16| *age == 0 || date::years_after(born, *age).is_some_and(|birthday| *birthday <= *today);
    BANDS.iter().rposition(|(_, age, _)| has_come_to(age))
}

/// Takes out what fewer than ten are of, and more, until those together are ten: how many these are.
fn merge_small(counts: &mut [i64]) -> i64 {
    let mut merged = 0;
    while let Some(smallest) = counts.iter_mut().filter(|count| **count > 0).min() {
        if *smallest >= CELL_MIN && (merged == 0 || merged >= CELL_MIN) {
            break;
        }
        merged += std::mem::take(smallest);
    }
    merged
}

/// What a township counted last: by band, what was told together, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    pub bands: [i64; BANDS.len()],
    pub merged: i64,
    pub on: String,
}

/// As a view says it, of those that were counted until a day.
#[must_use]
pub fn last_count(json: &Json, until: &str) -> Ages {
    let entries = json.get(COUNTED).and_then(Json::as_object).into_iter().flatten();
    let on = |entry: &Json| entry.get("counted_on").and_then(Json::as_str).unwrap_or_default().to_owned();
    let last = entries
        .filter(|(_, entry)| on(entry).as_str() <= until)
        .max_by_key(|(name, entry)| (on(entry), (*name).clone()));
    let Some((_, entry)) = last else { return Ages::default() };
    let of = |name: &str| entry.get(name).and_then(Json::as_i64).unwrap_or_default();
    Ages { bands: BANDS.map(|(name, ..)| of(name)), merged: of("merged"), on: on(entry) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fewer_than_ten_are_of_is_told_with_others_and_nobody_is_lost() {
        for (counts, told, together) in [
            ([20, 0, 30, 0, 0, 0, 0], [20, 0, 30, 0, 0, 0, 0], 0),
            ([20, 4, 30, 7, 0, 0, 12], [20, 0, 30, 0, 0, 0, 12], 11),
            ([20, 4, 30, 0, 0, 0, 12], [20, 0, 30, 0, 0, 0, 0], 16),
            ([3, 0, 0, 0, 0, 0, 0], [0; 7], 3),
        ] {
            let mut now = counts;
            assert_eq!((merge_small(&mut now), now), (together, told));
            assert_eq!(now.iter().sum::<i64>() + together, counts.iter().sum::<i64>());
        }
    }

    #[test]
    fn an_age_is_reached_on_the_birthday() {
        assert_eq!((band("1971-03-02", "2026-03-01"), band("1971-03-01", "2026-03-01")), (Some(3), Some(4)));
        assert_eq!(
            (band("2026-03-01", "2026-03-01"), band("2026-03-02", "2026-03-01"), band("x", "2026-03-01")),
            (Some(0), None, None)
        );
    }
}
