//! Conflicts as the messages of `heliu.operations.v1` say them. Their bodies are stored as the rules wrote them, with every
//! value: what is shown of them is cut before it is read.

use heliu_record::conflict::{Conflict, ConflictValue};
use heliu_record::id::to_hex;
use heliu_storage::ConflictRow;
use heliu_trust::directory::Directory;
use heliu_wire::operations as pb;
use heliu_wire::records::Cut;

use super::cut::{elements, fit};
use super::pages::Page;

const VALUES: &str = "values";

/// As a list shows it: without its body.
pub(super) fn listed(row: &ConflictRow, bytes: usize, directory: &Directory) -> pb::Conflict {
    let (body, cuts) = fit(&row.body, bytes);
    let conflict = serde_json::from_str(&body).ok();
    conflict.map_or_else(
        || unread(row, String::new(), cuts.clone()),
        |conflict: Conflict| pb::Conflict {
            cuts: cuts.clone(),
            ..heliu_wire::conflict(&conflict, directory.seats(), String::new())
        },
    )
}

/// As a whole, with a page of its values.
pub(super) fn shown(
    row: &ConflictRow,
    from: usize,
    rows: usize,
    bytes: usize,
    directory: &Directory,
) -> pb::GetConflictResponse {
    let (body, cuts) = fit(&row.body, bytes / 4);
    let Ok(mut conflict) = serde_json::from_str::<Conflict>(&body) else {
        return pb::GetConflictResponse { conflict: Some(unread(row, body, cuts)), ..Default::default() };
    };
    // A value takes more in the answer than in the body: its seat has a name there.
    let mut page = Page::new(rows, bytes / 4);
    let total = elements(&row.body, VALUES, from, &mut page).unwrap_or(0);
    let values = page.into_items().into_iter();
    let values = values.filter_map(|value| serde_json::from_str::<ConflictValue>(&value.value_json).ok());
    conflict.values = values.collect();
    let until = from.saturating_add(conflict.values.len());
    pb::GetConflictResponse {
        next: if until < total && until > from { until.to_string() } else { String::new() },
        before: from as u64,
        total: total as u64,
        conflict: Some(pb::Conflict { cuts, ..heliu_wire::conflict(&conflict, directory.seats(), body) }),
    }
}

/// One that another version wrote and this one cannot read has its body alone.
fn unread(row: &ConflictRow, body_json: String, cuts: Vec<Cut>) -> pb::Conflict {
    pb::Conflict {
        id: to_hex(&row.id),
        kind: row.kind.clone(),
        records: row.anchors.iter().take(ANCHORS).map(ToString::to_string).collect(),
        body_json,
        cuts,
        ..pb::Conflict::default()
    }
}

/// Of one that cannot be read.
const ANCHORS: usize = 100;
