//! Lists that a node gives page by page.

use crate::cli::Page;
use crate::failure::Failure;
use crate::text::{clean, count, tr};

/// The most that a node gives at once.
const PAGE: u32 = 1_000;

/// Asks for page after page until there are enough or no more: what was found, and the cursor to go on from, if any.
pub async fn pages<T>(
    page: &Page,
    mut ask: impl AsyncFnMut(String, u32) -> Result<(Vec<T>, String), heliu_client::Error>,
) -> Result<(Vec<T>, String), Failure> {
    let (mut found, mut after) = (Vec::new(), page.after.clone());
    while let Some(limit) = next_page(page.limit, found.len()) {
        let (more, next) = ask(after, limit).await?;
        found.extend(more);
        after = next;
        if after.is_empty() {
            break;
        }
    }
    Ok((found, after))
}

/// How many to ask for next; none if there are enough. A limit of 0 is none.
fn next_page(limit: u32, have: usize) -> Option<u32> {
    let have = u32::try_from(have).unwrap_or(u32::MAX);
    match limit {
        0 => Some(PAGE),
        limit => Some(limit.saturating_sub(have).min(PAGE)).filter(|rest| *rest > 0),
    }
}

/// How many there were, and how to see the rest.
pub fn more(shown: usize, next: &str) -> String {
    let (shown, next) = (count(shown as u64), clean(next));
    if next.is_empty() {
        tr!("\n共 {shown} 条\n", "\n{shown} in all\n")
    } else {
        tr!(
            "\n已列出 {shown} 条,还有更多:--after {next} 或 --limit 0\n",
            "\n{shown} shown, and there are more: --after {next} or --limit 0\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_add_up_to_the_limit_and_no_limit_goes_on() {
        assert_eq!(
            [next_page(100, 0), next_page(2_500, 2_000), next_page(100, 100), next_page(0, 9_000)],
            [Some(100), Some(500), None, Some(1_000)]
        );
    }
}
