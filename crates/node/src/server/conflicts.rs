//! Conflicts as the messages of `heliu.operations.v1` say them. A conflict's body is stored as its rule wrote it, with every
//! value; it is cut to what is shown before it is parsed.

use std::collections::BTreeSet;

use heliu_api::operations as pb;
use heliu_api::records::Cut;
use heliu_record::catalogue::Catalogue;
use heliu_record::conflict::{Conflict, ConflictValue, Explanation};
use heliu_record::id::{RecordId, to_hex};
use heliu_storage::ConflictRow;
use heliu_trust::directory::Directory;

use super::cut::{elements, fit};
use super::pages::Page;

const VALUES: &str = "values";

/// The other records whose names a conflict's explanation has; none if the body cannot be read.
pub(super) fn quotes(body: &[u8]) -> Option<BTreeSet<RecordId>> {
    #[derive(serde::Deserialize)]
    struct Quoting {
        #[serde(default)]
        quotes: BTreeSet<RecordId>,
    }
    serde_json::from_slice(body).ok().map(|Quoting { quotes }| quotes)
}

/// The conflict for a reader who may not see all records that its explanation names: what such a conflict is in general.
pub(super) fn in_general(conflict: &mut Conflict, catalogue: &Catalogue) {
    conflict.explanation = catalogue.in_general(&conflict.kind).unwrap_or_else(|| Explanation::new("", ""));
    conflict.quotes.clear();
}

/// A conflict as a list shows it, without its body. `names`: the reader may see all records that the explanation names.
pub(super) fn listed(
    row: &ConflictRow,
    names: bool,
    bytes: usize,
    directory: &Directory,
    catalogue: &Catalogue,
) -> pb::Conflict {
    let (body, cuts) = fit(&row.body, bytes);
    let conflict = serde_json::from_str(&body).ok();
    conflict.map_or_else(
        || unread(row, String::new(), cuts.clone()),
        |mut conflict: Conflict| {
            if !names {
                in_general(&mut conflict, catalogue);
            }
            pb::Conflict {
                cuts: cuts.clone(),
                ..heliu_wire::messages::conflict(&conflict, directory.seats(), String::new())
            }
        },
    )
}

/// A whole conflict, with a page of its values.
pub(super) fn shown(
    row: &ConflictRow,
    names: bool,
    from: usize,
    rows: usize,
    bytes: usize,
    directory: &Directory,
    catalogue: &Catalogue,
) -> pb::GetConflictResponse {
    let (mut body, cuts) = fit(&row.body, bytes / 4);
    let Ok(mut conflict) = serde_json::from_str::<Conflict>(&body) else {
        let (body, cuts) = if names { (body, cuts) } else { (String::new(), Vec::new()) };
        return pb::GetConflictResponse { conflict: Some(unread(row, body, cuts)), ..Default::default() };
    };
    if !names {
        in_general(&mut conflict, catalogue);
        body = serde_json::to_string(&conflict).unwrap_or_default();
    }
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
        conflict: Some(pb::Conflict { cuts, ..heliu_wire::messages::conflict(&conflict, directory.seats(), body) }),
    }
}

/// A conflict that another version of the program wrote and this one cannot read: its body alone.
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

/// How many records are listed of a conflict that cannot be read.
const ANCHORS: usize = 100;
