//! The texts of `--help` about ledgers and what is to be done.

use heliu_record::kind::Label;

use super::label;

pub const LEDGER: Label =
    label("台账:党员、组织、变动、统计等的汇总", "Ledgers: what many records come to, with sums that balance");
pub const LEDGER_AFTER: Label = label(
    "\
示例:
  heliu ledger                                     列出有哪些台账
  heliu ledger members                             按席位统计党员
  heliu ledger members --by org --on 2026-06-30    按组织,截至某日
  heliu ledger roster --at 康屯村党支部            花名册
  heliu ledger movements --from 2026-01-01 --to 2026-06-30
  heliu ledger members -o 党员统计.xlsx            写成文件

合计处附有核对;不相等的会写明。带 * 的行不完整:其下有本节点没有的内容。",
    "\
Examples:
  heliu ledger                                     which ledgers there are
  heliu ledger members                             members by seat
  heliu ledger members --by org --on 2026-06-30    by organisation, as of a day
  heliu ledger roster --at 'Kangtun branch'        who is in it
  heliu ledger movements --from 2026-01-01 --to 2026-06-30
  heliu ledger members -o members.xlsx             into a file

Sums are checked, and what does not balance is told. A line with * is partial: not all that is below it is held here.",
);
pub const LEDGER_NAME: Label = label("台账名称,代号或中文;不写则列出", "Which ledger; without it, they are listed");
pub const LEDGER_BY: Label = label("按席位(seat)或按组织(org)", "By seat or by organisation");
pub const LEDGER_AT: Label = label(
    "哪个组织或席位及其以下(默认本节点的席位)",
    "Of which organisation or seat, and below it (default: the node's seat)",
);
pub const LEDGER_ON: Label = label("截至哪一日(年-月-日)", "As of which day, YYYY-MM-DD");
pub const LEDGER_FROM: Label =
    label("从哪一日起(默认今年一月一日)", "From which day on (default: the first of this year)");
pub const LEDGER_TO: Label = label("到哪一日止(默认今日)", "Until which day (default: today)");
pub const LEDGER_COUNT: Label = label(
    "先由乡镇打开所辖党员的出生日期统计年龄(须有权查看,逐人记入审计日志),再显示 statistics",
    "First open the birth dates of the township's members and count ages (each is in the audit log); with statistics",
);
pub const INBOX: Label =
    label("待办:冲突、提示、到期事项和介绍信,按该谁办排列", "What is to be done, by whose turn it is");
pub const INBOX_AFTER: Label = label(
    "示例:\n  heliu inbox\n  heliu inbox --at 什集镇 --json",
    "Examples:\n  heliu inbox\n  heliu inbox --at 371726101000 --json",
);
pub const DUE: Label =
    label("到期事项:预备期满、介绍信过期、待批复等", "What is due: the end of probation, letters that expire, replies");
pub const DUE_AFTER: Label =
    label("示例:\n  heliu due\n  heliu due --on 2026-12-31", "Examples:\n  heliu due\n  heliu due --on 2026-12-31");
pub const DUE_ON: Label = label("到哪一日为止到期(默认今日)", "Due by which day (default: today)");
pub const ADVISORIES: Label =
    label("提示:按人数等看出的情况,如支部不足3人", "What the numbers say: a branch of fewer than 3, and the like");
pub const ADVISORIES_AFTER: Label = label(
    "示例:\n  heliu advisories\n  heliu advisories --at 什集镇\n\n上级认为可以的,用 heliu do org.waive 或 member.waive 免除。",
    "Examples:\n  heliu advisories\n  heliu advisories --at 371726101000\n\nA superior that accepts it waives it: heliu do org.waive, member.waive.",
);
