//! Rows and those whom they could be about.

use serde_json::json;

use super::super::sending::Reference;
use super::*;
use crate::served;

/// Whom a row of these values is about, among these members of one branch: the beginning of the id, `new`, `doubt`, or why not.
fn found(row: &[(&str, &str)], members: &[(&str, Value)], namesakes: Option<Namesakes>) -> String {
    let schema = served::schema();
    let form = Form::of(&schema, "member").expect("declared");
    let mut candidates = Candidates::default();
    for (id, view) in members {
        let Value::Object(mut view) = view.clone() else { unreachable!("it is one") };
        view.entry("effective_home").or_insert(json!("b1"));
        let opened = view.remove("born").map(|born| vec![born.as_str().unwrap_or_default().to_owned()]);
        let opened = opened.map(|born| ("birth_date".to_owned(), born)).into_iter().collect();
        let ended = view.get("stage").and_then(|stage| form.kind.field("stage")?.state(stage.as_str()?));
        let ended = ended.filter(|state| state.ending).map(|state| state.label.clone());
        let candidate = Candidate { id: (*id).to_owned(), view, seats: Vec::new(), leaves: 1, ended, opened };
        candidates.enter(&form, candidate);
    }
    let mut values: BTreeMap<String, String> =
        row.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let branch = values.entry("branch".to_owned()).or_insert("b1".to_owned()).clone();
    let references = References::from([("branch".to_owned(), vec![Reference::Known(branch)])]);
    let row = Row { line: 2, values, parent: None };
    match candidates.find(&form, &row, &references, &Known::default(), namesakes) {
        Ok(Found::One(one)) => one.id.clone(),
        Ok(Found::None(_)) => "new".to_owned(),
        Ok(Found::Doubt(_)) => "doubt".to_owned(),
        Err(bad) => bad.reason.en,
    }
}

#[test]
fn by_number_a_corrected_name_or_day_is_the_same_person_and_who_has_nothing_in_common_is_not() {
    let wang = [("w", json!({"name": "王芳", "member_no": "C1", "joined_on": "2001-07-01"}))];
    let row = |name: &str, more: &[(&str, &str)]| {
        let mut row = vec![("name", name), ("member_no", "C1")];
        row.extend(more);
        found(&row, &wang, None)
    };
    assert_eq!(row("王芳", &[("joined_on", "2001-07-11")]), "w");
    assert_eq!(row("王方", &[]), "w");
    assert_eq!(row("李方", &[("joined_on", "2001-07-01")]), "w", "married, and the day is the same");
    for other in [row("李四", &[]), row("王方", &[("joined_on", "1990-07-01")]), row("王方", &[("branch", "b2")])]
    {
        assert!(other.contains("somebody else's") && other.contains("王芳"), "{other}");
    }
    assert!(row("王芳", &[("branch", "b2")]).contains("member.transfer.issue"));
}

#[test]
fn without_a_number_a_day_decides_and_without_a_day_nobody_is_guessed() {
    let zhang = [
        ("a", json!({"name": "张伟", "born": "1980-03-04", "joined_on": "2001-07-01"})),
        ("b", json!({"name": "张伟", "born": "1992-11-20", "joined_on": "2001-07-01"})),
    ];
    let born = |day: &str| found(&[("name", "张伟"), ("birth_date", day)], &zhang, None);
    assert_eq!([born("1980-03-04"), born("1992-11-20"), born("1970-01-01")], ["a", "b", "new"]);
    // A day that many share tells nobody apart, and a name alone does not.
    assert_eq!(found(&[("name", "张伟"), ("joined_on", "2001-07-01")], &zhang, None), "doubt");
    let contact = [("name", "张伟"), ("contact", "1")];
    assert_eq!(found(&contact, &zhang[..1], None), "doubt");
    assert_eq!(found(&contact, &zhang[..1], Some(Namesakes::Same)), "a");
    assert_eq!(found(&contact, &zhang[..1], Some(Namesakes::New)), "new");
    assert_eq!(found(&contact, &zhang, Some(Namesakes::Same)), "doubt", "of two it is not said which");
    // What says nothing else is the one that is there; in another branch it is another.
    assert_eq!(found(&[("name", "张伟")], &zhang[..1], None), "a");
    assert_eq!(found(&[("name", "张伟"), ("branch", "b2")], &zhang, None), "new");
    // The day of birth was not to be read: what the joining says counts, and without it nobody is guessed.
    let locked = [("c", json!({"name": "张伟", "birth_date": {"sealed": "k"}, "joined_on": "2001-07-01"}))];
    let row = |day: &str| found(&[("name", "张伟"), ("birth_date", "1980-03-04"), ("joined_on", day)], &locked, None);
    assert_eq!([row("2001-07-01"), row("1999-07-01")], ["c", "new"]);
    assert_eq!(found(&[("name", "张伟"), ("birth_date", "1980-03-04")], &locked, None), "doubt");
}

#[test]
fn who_has_left_is_not_made_again() {
    let left = [("a", json!({"name": "张伟", "member_no": "C1", "joined_on": "2001-07-01", "stage": "left"}))];
    for row in [&[("name", "张伟"), ("member_no", "C1")][..], &[("name", "张伟"), ("joined_on", "2001-07-01")]] {
        let told = found(row, &left, None);
        assert!(told.contains("has ended (left)") && told.contains("张伟"), "{told}");
    }
}
