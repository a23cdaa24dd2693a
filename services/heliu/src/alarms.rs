//! `heliu alarms`: what an administrator should look at, and what to do about it.

use heliu_client::operations::Alarm;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::Read;
use crate::failure::Failure;
use crate::render::given;
use crate::target;
use crate::text::{Language, clean, language, time, tr};

/// Well only if none is grave.
pub async fn run(args: &Read) -> Result<Done, Failure> {
    let alarms = target::connect(&args.target).await?.alarms().await?;
    let grave = alarms.iter().any(|alarm| alarm.severity == "error");
    if args.json {
        print_json(&json!({"alarms": alarms.iter().map(shape).collect::<Vec<_>>()}))?;
    } else if alarms.is_empty() {
        print(&tr!("没有警报。\n", "There are no alarms.\n"))?;
    } else {
        print(&alarms.iter().map(told).collect::<String>())?;
    }
    Ok(if grave { Done::No } else { Done::Well })
}

fn told(alarm: &Alarm) -> String {
    let (what, next) = (alarm.what.clone().unwrap_or_default(), alarm.next.clone().unwrap_or_default());
    let (what, next) = match language() {
        Language::Zh => (what.zh, next.zh),
        Language::En => (what.en, next.en),
    };
    let mark = match alarm.severity.as_str() {
        "error" => tr!("严重", "grave"),
        "info" => tr!("说明", "note"),
        _ => tr!("注意", "warning"),
    };
    let mut text = format!("[{mark}] {}\n", clean(&what));
    if alarm.at_ms > 0 {
        text.push_str(&format!("    {}\n", time::local(alarm.at_ms)));
    }
    if !next.is_empty() {
        let next = clean(&next);
        text.push_str(&tr!("    怎么办:{next}\n", "    what to do: {next}\n"));
    }
    text
}

fn shape(alarm: &Alarm) -> Value {
    let (what, next) = (alarm.what.clone().unwrap_or_default(), alarm.next.clone().unwrap_or_default());
    json!({
        "code": alarm.code, "severity": alarm.severity, "what": {"zh": what.zh, "en": what.en},
        "next": {"zh": next.zh, "en": next.en}, "subject": given(&alarm.subject),
        "at": (alarm.at_ms > 0).then(|| time::utc(alarm.at_ms)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_grave_an_alarm_is_shows_at_its_beginning() {
        let of = |severity: &str| told(&Alarm { severity: severity.to_owned(), ..Alarm::default() });
        let marks =
            ["error", "warning", "info"].map(|severity| of(severity).split(' ').next().unwrap_or("").to_owned());
        assert_eq!(marks, ["[grave]", "[warning]", "[note]"]);
    }
}
