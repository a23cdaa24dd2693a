//! The commands of a page in Markdown that are marked to be run: a line `<!-- run -->`, or `<!-- run: nodes -->` where the
//! nodes have to be up, and then a fence of `sh` or `console`.

/// What one marked fence says, as a shell takes it: all of an `sh` fence, what follows a `$` in a `console` one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Whether the nodes of every realm that was made before are to run.
    pub needs_nodes: bool,
    pub commands: String,
}

/// The marked fences in their order.
///
/// # Panics
/// If a mark is not followed by such a fence.
#[must_use]
pub fn marked_to_run(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let needs_nodes = match line.trim() {
            "<!-- run -->" => false,
            "<!-- run: nodes -->" => true,
            mark => {
                assert!(!mark.starts_with("<!-- run"), "line {}: there is no mark {mark}", number + 1);
                continue;
            }
        };
        let fence = lines.find(|(_, line)| !line.trim().is_empty()).map(|(_, line)| line.trim());
        let console = match fence {
            Some("```sh") => false,
            Some("```console") => true,
            other => panic!("line {}: after the mark comes {other:?}, not a fence of sh or console", number + 1),
        };
        let inside: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        let commands = if console { typed(&inside) } else { inside.join("\n") };
        found.push(Block { needs_nodes, commands });
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
