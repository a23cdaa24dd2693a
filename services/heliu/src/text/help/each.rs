//! What `--help` says of commands that are carried out for many, or in the name of another seat.

use heliu_record::kind::Label;

use super::label;

pub const EACH: Label =
    label("对表格(CSV、XLSX)的每一行各执行一次", "Carry it out once for each line of a table (CSV, XLSX)");
pub const EACH_OF: Label = label(
    "对查到的这一种类的每条记录各执行一次;与 --each 同用时,说明各行针对哪一种类",
    "Carry it out once for each record of this kind that is found; with --each: what the lines are about",
);
pub const EACH_SKIP_BAD: Label =
    label("不合格的行不执行,其余照常执行", "Leave out lines that are refused, and carry out the others");
pub const EACH_AGAIN: Label = label(
    "同样的行确要再办一次:换一个词(如 2027年)",
    "The same lines are meant once more: give another word, such as the year",
);
pub const ON_BEHALF: Label = label(
    "以下级席位的名义办理(它没有节点,或已登记离岗由本席位代办):区划代码、编号或名称",
    "In the name of a seat below, which has no node, or is away and has this one as its deputy: region code, id or name",
);
