//! The commands of a page in Markdown that are marked to be run: a line `<!-- run -->`, then a fence of `sh` or `console`.

/// What each marked fence says, as a shell takes it: all of an `sh` fence, what follows a `$` in a `console` one.
///
/// # Panics
/// If a mark is not followed by such a fence, or a fence does not end.
#[must_use]
pub fn marked_to_run(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim() != "<!-- run -->" {
            continue;
        }
        let fence = lines.find(|(_, line)| !line.trim().is_empty()).map(|(_, line)| line.trim());
        let console = match fence {
            Some("```sh") => false,
            Some("```console") => true,
            other => panic!("line {}: after the mark comes {other:?}, not a fence of sh or console", number + 1),
        };
        let inside: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        found.push(if console { typed(&inside) } else { inside.join("\n") });
    }
    found
}

/// What a person typed: after `$ `, and on as long as lines end in a backslash.
fn typed(lines: &[&str]) -> String {
    let (mut typed, mut goes_on) = (Vec::new(), false);
    for line in lines {
        let words = line.trim_start().strip_prefix("$ ").or(if goes_on { Some(*line) } else { None });
        goes_on = words.is_some_and(|words| words.ends_with('\\'));
        typed.extend(words);
    }
    typed.join("\n")
}
