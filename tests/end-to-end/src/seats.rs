//! The seats of the stories by short names: `C` the county, `T1` its first township, `V12` the second village of that.
//! A mark is for a second node of the seat: `C'`.

/// The region code of a name.
#[must_use]
pub fn code(name: &str) -> String {
    let digits: Vec<u32> = name.chars().filter_map(|c| c.to_digit(10)).collect();
    match digits[..] {
        [] => "371726000000".to_owned(),
        [township] => format!("371726{:03}000", 100 + township),
        [township, village, ..] => format!("371726{:03}{:03}", 100 + township, 200 + village),
    }
}

/// Name and superior of the seat that a node is of, up to the county.
#[must_use]
pub fn superior(name: &str) -> Option<String> {
    match plain(name).as_bytes() {
        [b'V', township, ..] => Some(format!("T{}", char::from(*township))),
        [b'T', ..] => Some("C".to_owned()),
        _ => None,
    }
}

/// Without the mark of a second node.
#[must_use]
pub fn plain(name: &str) -> &str {
    name.trim_end_matches('\'')
}

/// Whether a seat has this region code or is above the one that has.
#[must_use]
pub fn covers(name: &str, code_below: &str) -> bool {
    let digits = match plain(name).len() {
        1 => 6,
        2 => 9,
        _ => 12,
    };
    code_below.starts_with(&code(name)[..digits])
}

/// What people call it.
#[must_use]
pub fn title(name: &str) -> String {
    match plain(name).split_at(1) {
        ("T", number) => format!("测试{number}镇"),
        ("V", number) => format!("测试{number}村"),
        _ => "测试县".to_owned(),
    }
}

/// A region file with these seats and all above them.
#[must_use]
pub fn region_file<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let upward =
        |name: &str| std::iter::successors(Some(plain(name).to_owned()), |at| superior(at)).collect::<Vec<_>>();
    let mut all: Vec<String> = names.into_iter().flat_map(upward).collect();
    // C, T1, T2, V11: superiors come before their subordinates.
    all.sort();
    all.dedup();
    let line = |name: &String| {
        let parent = superior(name).map(|superior| code(&superior)).unwrap_or_default();
        format!("{},{},{parent}\n", code(name), title(name))
    };
    "code,name,parent_code\n".to_owned() + &all.iter().map(line).collect::<String>()
}
