//! The texts of `--help` about what disagrees.

use heliu_record::kind::Label;

use super::label;

pub const CONFLICTS: Label = label("需要人处置的分歧", "Disagreements that people settle");
pub const CONFLICTS_AFTER: Label = label(
    "示例:\n  heliu conflicts list\n  heliu conflicts show 5d0a99e1\n  heliu conflicts settle 5d0a99e1 --choose 1 --reason 以介绍信为准",
    "Examples:\n  heliu conflicts list\n  heliu conflicts show 5d0a99e1\n  heliu conflicts settle 5d0a99e1 --choose 1 --reason 'the letter counts'",
);
pub const CONFLICTS_LIST: Label = label("列出未决冲突", "List the open ones");
pub const CONFLICTS_LIST_AFTER: Label = label(
    "示例:\n  heliu conflicts list\n  heliu conflicts list --kind MULTI_HOME",
    "Examples:\n  heliu conflicts list\n  heliu conflicts list --kind MULTI_HOME",
);
pub const CONFLICTS_SHOW_AFTER: Label =
    label("示例:\n  heliu conflicts show 5d0a99e1", "Example:\n  heliu conflicts show 5d0a99e1");
pub const CONFLICTS_SHOW: Label = label("查看一个冲突的全部内容", "Show one with all its values");
pub const CONFLICTS_SETTLE: Label = label("选定一个值,各级同时生效", "Choose a value, once, for all tiers");
pub const CONFLICTS_SETTLE_AFTER: Label = label(
    "示例:\n  heliu conflicts settle 5d0a99e1 --choose 1 --reason 以介绍信为准\n\n须在有权处置的席位(或其上级)的节点上办理。改变主意:再作一次决定。",
    "Example:\n  heliu conflicts settle 5d0a99e1 --choose 1 --reason 'the letter counts'\n\nDo it at the node of the seat that may settle it, or of a superior. To change one's mind: decide again.",
);
pub const CONFLICTS_KIND: Label = label("只列这一种,如 MULTI_HOME", "Only of this kind, such as MULTI_HOME");
pub const CONFLICTS_RECORD: Label = label("只列涉及该记录的", "Only those that this record takes part in");
pub const CONFLICT_ID: Label =
    label("冲突编号,或其开头(至少 8 位)", "A conflict's id, or a beginning of it (8 digits or more)");
pub const CONFLICTS_CHOOSE: Label = label("选定的值,或其序号(从 1 起)", "The value, or its number (from 1)");
