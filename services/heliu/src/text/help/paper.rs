//! `--help` of what is tried, taken back and printed.

use heliu_record::kind::Label;

use super::label;

pub const DO_DRY_RUN: Label = label(
    "只说明会改动什么、引起或了结什么冲突、谁能看到,什么也不写",
    "Only say what would change, which conflicts would come up or be over and who would see it; nothing is written",
);
pub const UNDO: Label = label("撤销本人最近的一次更正", "Take back one's own last correction");
pub const UNDO_AFTER: Label = label(
    "\
示例:
  heliu undo                        本人在本节点最近的一次操作
  heliu undo --dry-run              先看会改回什么
  heliu undo abababababababababababababababab

把原来的值写回去,作为一次新的操作;历史都在,什么也不删除。别人之后又改过的、不是本人在本席位做的、决定、办理步骤(如介绍信)、新建的记录和归属变更不能撤销,\
会说明原因和怎么办。与别处同时的改动并存,有分歧的作为冲突列出。",
    "\
Examples:
  heliu undo                        one's own last command at this node
  heliu undo --dry-run              look first at what would be written back
  heliu undo abababababababababababababababab

The values of before are written again, as a new command; the history stays and nothing is deleted. What somebody changed since, what was not done by you at this seat, decisions, steps (such as letters), new records \
and changes of owner are not undone: it is said why, and what to do instead. What others write at the same time elsewhere stays beside it, as a conflict where it differs.",
);
pub const UNDO_ID: Label =
    label("哪一次操作的编号(默认本人最近一次)", "The id of the command (default: one's own last)");
pub const PRINT: Label = label(
    "打印介绍信、回执、登记卡或花名册(网页或 PDF)",
    "Print a letter, a receipt, a card or a roster (a page for a browser, or a PDF)",
);
pub const PRINT_AFTER: Label = label(
    "\
示例:
  heliu print letter 测试甲0001                       存根、介绍信、回执三联
  heliu print letter 测试甲0001 --letter 2026-0017 --pdf -o 介绍信.pdf
  heliu print receipt 测试甲0001
  heliu print card 康屯村党支部
  heliu print roster 康屯村党支部 -o 花名册.html

网页自带版式(A4),不从别处取任何东西,用浏览器打开即可打印。--pdf 需要这台机器上有中文字体(Debian:apt install fonts-noto-cjk),\
只嵌入用到的字;用 --font 可指定字体文件。花名册按姓名排列,有合计。登记处不存身份证号和年龄,介绍信上留空手填。已有的文件不覆盖。",
    "\
Examples:
  heliu print letter 12345678                       stub, letter and receipt
  heliu print letter 12345678 --letter 2026-0017 --pdf -o letter.pdf
  heliu print receipt 12345678
  heliu print card 12345678
  heliu print roster 12345678 -o roster.html

The page has its layout (A4) in it and takes nothing from elsewhere: open it in a browser and print it. --pdf needs a font with Chinese letters on this machine (Debian: apt install fonts-noto-cjk), \
and embeds the letters that are used; --font names a font file. A roster is in the order of names, with totals. The registry has no identity numbers and no ages: a letter has room for them. No file that is there is written over.",
);
pub const PRINT_SHEET: Label = label(
    "letter 介绍信、receipt 回执、card 登记卡、roster 花名册",
    "letter, receipt, card (all that a record says) or roster (the members of an organisation)",
);
pub const PRINT_SUBJECT: Label =
    label("谁的:党员或党组织的姓名、编号", "Whose: the name, the number or the id of a member or an organisation");
pub const PRINT_LETTER: Label =
    label("哪一封介绍信:编号(未接收的只有一封时可省)", "Which letter: its number (not needed if one is open)");
pub const PRINT_OUT: Label =
    label("写到这个新文件(默认以种类和编号为名)", "The new file (default: called by what it is)");
pub const PRINT_PDF: Label = label("写成 PDF,而不是网页", "Write a PDF, and no page for a browser");
pub const PRINT_FONT: Label = label("PDF 用的字体文件(TTF、OTF、TTC)", "The font file of a PDF (TTF, OTF or TTC)");
