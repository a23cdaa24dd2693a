//! The texts of `--help`: every verb and flag, in both languages. Examples are commands as one types them, with files
//! and ids of one's own.

mod demo;
mod deploy;
mod each;
mod ledgers;
mod paper;
mod settling;

use heliu_record::kind::Label;

pub use demo::*;
pub use deploy::*;
pub use each::*;
pub use ledgers::*;
pub use paper::*;
pub use settling::*;

use crate::exit::Exit;
use crate::text::labelled;

/// What lacks a language does not compile.
const fn label(zh: &'static str, en: &'static str) -> Label {
    assert!(!zh.is_empty() && !en.is_empty(), "every text is there in both languages");
    Label { zh, en }
}

pub const HELIU: Label = label(
    "合流:县、乡、村各级各存一份组织记录,断网照常办公,联网自动合并。",
    "Heliu keeps a county's organisational records at every tier; each works offline, and they merge when links return.",
);
const HELIU_FIRST: Label = label(
    "\
第一次使用:
  heliu demo                                              全县在一个进程里演示一遍
  heliu init --regions 371726.csv --dir ./realm           建立一个域,生成县级节点
  heliu node --dir ./realm/county                         运行节点
  heliu enroll 371726101000 --dir ./realm/county          为一个乡镇签发入域令牌
  heliu join 令牌                                         在乡镇的机器上入域并运行
  heliu status --dir ./realm/county                       查看节点
区划文件是 CSV,列为 code,name,parent_code;鄄城县的 371726.csv 在源码的 deploy/regions 中。
",
    "\
Starting out:
  heliu demo                                              a whole county, told in one process
  heliu init --regions 371726.csv --dir ./realm           make a realm and the county's node
  heliu node --dir ./realm/county                         run that node
  heliu enroll 371726101000 --dir ./realm/county          make a join token for a township
  heliu join TOKEN                                        on the township's machine: join, and run
  heliu status --dir ./realm/county                       look at a node
A region file is a CSV with the columns code,name,parent_code; 371726.csv, of the county 鄄城县, is in the sources under \
deploy/regions.
",
);
const EXIT_CODES: Label = label("退出码:", "Exit codes:");
const EXIT_ZERO: Label = label("成功", "done");
const HELIU_WHICH: Label = label(
    "\
连接哪个节点:--access 访问文件,或 --dir 节点的目录,或 --node 地址(仅开发模式);否则环境变量 HELIU_ACCESS、HELIU_NODE;\
否则当前目录或 /etc/heliu 里的 local.access。语言:--lang,否则 HELIU_LANG、LC_ALL、LC_MESSAGES、LANG。",
    "\
Which node: --access with an access file, or --dir with the node's directory, or --node with an address (development mode \
only); else the variables HELIU_ACCESS, HELIU_NODE; else local.access in the current directory or /etc/heliu. Language: --lang, else HELIU_LANG, LC_ALL, LC_MESSAGES, LANG.",
);

/// Where to begin, what the exit codes mean, and which node is asked.
pub fn heliu_after() -> String {
    let zero = format!("  0  {}\n", labelled(EXIT_ZERO));
    let exits = Exit::ALL.map(|exit| format!("  {}  {}\n", exit as u8, labelled(exit.means())));
    let exits = format!("{}\n{zero}{}", labelled(EXIT_CODES), exits.concat());
    format!("{}\n{exits}\n{}\n\n{}", labelled(HELIU_FIRST), labelled(HELIU_WHICH), labelled(HELIU_COMPLETION))
}

const HELIU_COMPLETION: Label = label(
    "补全:在 bash 中运行 source <(COMPLETE=bash heliu),zsh、fish 同理;种类和命令由所连接的节点告知。",
    "Completion: in bash, source <(COMPLETE=bash heliu), and likewise zsh and fish; kinds and commands are those of the node.",
);

pub const COMMANDS: Label = label("命令", "Commands");
pub const ARGUMENTS: Label = label("参数", "Arguments");
pub const OPTIONS: Label = label("选项", "Options");
pub const LANG: Label = label("语言:zh 或 en", "Language: zh or en");
pub const HELP: Label = label("显示帮助", "Show help");
pub const VERSION: Label = label("显示版本", "Show the version");
pub const JSON: Label = label("输出 JSON,供程序读取", "Print JSON, for programs");
pub const TARGET_DIR: Label =
    label("节点的目录:用其中的 local.access 连接", "A node's directory: its local.access is used to connect");
pub const TARGET_ACCESS: Label =
    label("访问文件(环境变量 HELIU_ACCESS)", "An access file, for a node elsewhere [env: HELIU_ACCESS]");
pub const TARGET_NODE: Label = label(
    "开发模式节点的地址,如 127.0.0.1:7340(环境变量 HELIU_NODE)",
    "Address of a node in development mode, such as 127.0.0.1:7340 [env: HELIU_NODE]",
);
pub const LIMIT: Label = label("最多列出多少条;0 为全部", "List at most so many; 0 for all");
pub const AFTER: Label = label("从上一页末尾给出的游标继续", "Go on from the cursor that the page before ended with");
pub const REASON: Label = label("事由,记入历史", "Why; kept in the history");
pub const WHO: Label = label("经办人,默认当前用户", "Who asks (default: the current user)");
pub const RECORD_ID: Label = label(
    "记录编号,或其开头(至少 8 位),或唯一的名称",
    "A record's id, a beginning of it (8 digits or more), or its name if only one has it",
);
pub const GET_PATH: Label = label(
    "逐页列出未完整显示的部分,如 name_concurrent(get 会说明是哪些)",
    "List a part that is not shown whole, such as name_concurrent, page by page (get says which)",
);
pub const DRY_RUN: Label = label("只检查,不写入", "Check everything, write nothing");
pub const ANEW: Label =
    label("记录已被删除的行,重新建立记录", "Make the records of those rows again whose records were erased");

pub const NODE: Label = label("运行一个节点", "Run one node");
pub const NODE_AFTER: Label = label(
    "\
示例:
  heliu node --dir ./realm/county
  heliu node --config /etc/heliu/heliu.toml --log-json
  RUST_LOG=heliu_node=debug heliu node --config heliu.toml

配置文件中的每一项都可用环境变量覆盖,如 HELIU_LISTEN、HELIU_LINKS_PARENTS(逗号分隔)。上级不可达时节点照常运行,\
不断重试,heliu peers 会显示。收到 SIGTERM、Ctrl-C、SIGQUIT,或终端断开\
(SIGHUP,以 nohup 启动的除外)后,在 shutdown_seconds 内收尾退出。",
    "\
Examples:
  heliu node --dir ./realm/county
  heliu node --config /etc/heliu/heliu.toml --log-json
  RUST_LOG=heliu_node=debug heliu node --config heliu.toml

Each setting in the file can be overridden by the environment, such as HELIU_LISTEN or HELIU_LINKS_PARENTS (separated by \
commas). If a superior cannot be reached the node runs all the same and keeps trying; heliu peers shows it. On SIGTERM, \
Ctrl-C, SIGQUIT, or when its terminal goes (SIGHUP, unless it was started with nohup) it finishes within shutdown_seconds.",
);
pub const NODE_CONFIG: Label = label(
    "配置文件,否则 --dir、环境变量 HELIU_CONFIG、./heliu.toml、/etc/heliu/heliu.toml",
    "Configuration file (default: the first of --dir, the variable HELIU_CONFIG, ./heliu.toml, /etc/heliu/heliu.toml)",
);
pub const NODE_DIR: Label = label("节点的目录,由 init 或 join 生成", "A node's directory, as init or join makes it");
pub const NODE_LOG_JSON: Label = label("日志输出为 JSON", "Write the log as JSON");

pub const STATUS: Label = label("节点是谁,状态如何", "Who a node is and how it is");
pub const STATUS_AFTER: Label =
    label("示例:\n  heliu status --dir ./realm/county", "Example:\n  heliu status --dir ./realm/county");
pub const PEERS: Label =
    label("各链路:状态、落后多少、最近的错误", "Each link: its state, how far behind, its last error");
pub const PEERS_AFTER: Label = label(
    "示例:\n  heliu peers --json\n\n“一致始于”是本次连接中从哪次核对起一直一致,“上次核对”是最近一次。错误附有时间,已恢复的会注明。",
    "Example:\n  heliu peers --json\n\n\"equal since\": every comparison on this connection since then found both ends equal; \
\"checked\": the last of them. An error has its time, and says if it is over.",
);
pub const VERIFY: Label = label("核对两端数据是否一致", "Prove that both ends of a link hold the same");
pub const VERIFY_AFTER: Label = label(
    "\
示例:
  heliu verify                    核对全部链路
  heliu verify 371726101000       只核对一条

两个和:“持有”为链路范围内持有的全部签名有效的变更,“采纳”为其中已采纳的。只有全部一致时退出码才为 0。
节点启动后十分钟内逐条重数,数完之前会注明“合计尚待核实”。",
    "\
Examples:
  heliu verify                    every link
  heliu verify 371726101000       one of them

The two sums: held is over all changes with a valid signature in the link's scope, admitted over those of them that are \
admitted. The exit code is 0 only if every link is equal. Within ten minutes of its start a node counts every record \
again, and says until then that its sums are not yet proven.",
);
pub const VERIFY_PEER: Label = label(
    "对端:节点编号(或开头 8 位以上)或区划代码;省略为全部",
    "The peer: a node id (or 8 digits of it) or a region code (default: all)",
);
pub const VERIFY_TIMEOUT: Label = label("最多等待多少秒", "How many seconds to wait");

pub const GET: Label = label("查看一条记录", "Show one record");
pub const GET_AFTER: Label = label("示例:\n  heliu get 3fa81c22", "Example:\n  heliu get 3fa81c22");
pub const LIST: Label = label("列出记录", "List records");
pub const LIST_AFTER: Label = label(
    "\
示例:
  heliu list org
  heliu list member --search 张伟              姓名或编号中有它的;拼音、首字母亦可(zhangwei、zw)
  heliu list member --where effective_home=康屯村党支部 --where 发展阶段=正式党员
  heliu list member --where joined_on>=2001-01-01 --sort joined_on --descending
  heliu list member --group-by seat,stage     按席位和阶段计数
  heliu list member --limit 0 --json          全部",
    "\
Examples:
  heliu list org
  heliu list member --search 张伟              any part of a name or number; pinyin or initials do too (zhangwei, zw)
  heliu list member --where effective_home=康屯村党支部 --where stage=full
  heliu list member --where joined_on>=2001-01-01 --sort joined_on --descending
  heliu list member --group-by seat,stage     counts by seat and stage
  heliu list member --limit 0 --json          all of them",
);
pub const LIST_KIND: Label = label("记录种类(默认全部),如 member 或 党员", "Kind (default: all), such as member");
pub const LIST_REFERS_TO: Label = label("只列出引用该记录的", "Only those that refer to this record");
pub const LIST_GONE: Label = label("也列出已离开本席位的", "Also those that have left this seat");
pub const LIST_SEARCH: Label = label(
    "只列出名称或编号中含有此内容的;可用其任何部分、拼音或首字母",
    "Only what has this in its name or number: any part of it, its pinyin or its initials",
);
pub const LIST_WHERE: Label = label(
    "只列出字段为此值的:字段=值、字段=值,值、字段!=值、字段>=值、字段<=值;可重复,须全部满足",
    "Only what says this: FIELD=VALUE, FIELD=ONE,OTHER, FIELD!=VALUE, FIELD>=VALUE, FIELD<=VALUE; may be repeated, and all must hold",
);
pub const LIST_AT: Label =
    label("只列出此席位及其下级的:区划代码或编号", "Only those of this seat and below it: its region code or id");
pub const LIST_SORT: Label = label("按此字段排序(默认名称)", "Sort by this field (default: the name)");
pub const LIST_DESCENDING: Label = label("从大到小", "From the last to the first");
pub const LIST_COUNT: Label = label("只计数", "Count them only");
pub const LIST_GROUP_BY: Label =
    label("按这些字段分别计数;seat 为席位", "Count them apart by these fields; seat is who owns them");
pub const HISTORY: Label =
    label("一条记录的来历:谁、何时、为何、改了什么", "A record's story: who changed what, when and why");
pub const HISTORY_AFTER: Label = label(
    "示例:\n  heliu history 3fa81c22\n\n每条末尾是变更编号的开头,heliu fence --exclude 用它;完整编号见 --json 的 leaf。",
    "Example:\n  heliu history 3fa81c22\n\nEach line ends with the beginning of the change's id, which heliu fence --exclude takes; \
     --json has it whole, as leaf.",
);

pub const DO: Label = label("执行一条命令", "Carry out a command");
pub const DO_AFTER: Label = label(
    "\
示例:
  heliu do member.register name=测试甲0001 branch=3fa8… joined_on=2001-07-01 --reason 补录
  heliu do record.set 9c41d07e field=joined_on value=2001-07-01
  heliu do record.set 9c41d07e field=contact --ask value
  heliu do joint_branch.form --explain
  heliu do member.transfer.issue to_org=康屯村党支部 --each 转出名单.xlsx --dry-run
  heliu do record.set field=education value=大专 --each-of 党员 --where stage=full --at 371726101000 --yes

值可写 -(从标准输入读)或 @文件;以 @ 开头的值写作 @@…。要密封的值请这样给,或用 --ask:写在命令行上,本机其他用户看得到,也会\
留在命令历史里。记录可写编号的开头(至少 8 位),或唯一的名称;字段、状态和选项可写中文名。使党籍、组织或资源终结的命令会先说明后果并要求\
确认(脚本用 --yes)。答复丢失后,用同一个 --command-id 重发不会重复执行。

--each 和 --each-of 先列出每一行会怎样,再询问一次。列名是参数的名称(两种语言都行),再加上说明针对谁的列:编号、姓名、党员编号或所在支部。\
同一记录的各行要么都办,要么都不办;有一行不合格则什么也不做(--skip-bad 除外)。中断后再次运行同一文件,已办的行不会重复。",
    "\
Examples:
  heliu do member.register name=测试甲0001 branch=3fa8… joined_on=2001-07-01 --reason 'entered late'
  heliu do record.set 9c41d07e field=joined_on value=2001-07-01
  heliu do record.set 9c41d07e field=contact --ask value
  heliu do joint_branch.form --explain
  heliu do member.transfer.issue to_org=康屯村党支部 --each leaving.xlsx --dry-run
  heliu do record.set field=education value=college --each-of member --where stage=full --at 371726101000 --yes

A value may be - (from standard input) or @FILE; one that begins with @ is written @@... Give values that are to be sealed like \
that, or with --ask: what is typed on a command line others on this machine can see, and the shell keeps it. \
A record is given by a beginning of its id (8 digits or more), or by its name if only one has it. A command that ends a \
membership, an organisation or a resource says what follows and asks first (scripts: --yes). After a lost answer, the same --command-id \
again has no second effect.

--each and --each-of first say what would become of every line, and ask once. Columns are called as the arguments are (in either \
language), besides those that say which record a line is about: its id, name, member number or branch. Of one record all lines are \
carried out or none; with one line that is refused nothing is done (but for --skip-bad). Run again after an interruption, lines that \
were carried out are not carried out twice.",
);
pub const DO_COMMAND: Label = label("命令名,见下表", "The command; they are listed below");
pub const DO_ARGUMENTS: Label =
    label("所针对的记录(如需要),以及各参数", "The record that it is about, if it needs one, and its arguments");
pub const DO_ASK: Label = label(
    "在终端上询问这个参数的值,键入时不显示;可多次给出",
    "Ask for the value of this argument at the terminal, without showing it; may be repeated",
);
pub const DO_COMMAND_ID: Label =
    label("命令编号(32 位十六进制),用于重发", "Id of the command (32 hex digits), for repeating it");
pub const DO_EXPLAIN: Label =
    label("说明该命令及其参数,不执行", "Tell about the command and its arguments; do nothing");
pub const DO_HELP: Label =
    label("显示帮助;给出命令名则说明该命令", "Show help; with a command's name, about that command");

pub const IMPORT: Label =
    label("从表格(CSV、XLSX)导入记录,或导入区划", "Import records from a table (CSV, XLSX), or divisions");
pub const IMPORT_AFTER: Label = label(
    "\
示例:
  heliu import members members.xlsx --dry-run      预览:每一行会怎样,什么也不写
  heliu import members members.xlsx --reason 2026年台账
  heliu import 党员 花名册.csv --skip-unknown --month first
  heliu import orgs orgs.csv
  heliu import orgs 371726.csv          区划文件也可以:县、乡各一个党委,每村一个党支部
  heliu import 资源                     只列出有哪些列

节点知道的任何种类都能导入,写代号或名称。文件可以是 XLSX(只取保存的值,不计算公式)或 CSV(UTF-8、GB18030/GBK、UTF-16,逗号、制表符或分号分隔)。\
列名上方可有标题,列名写代号、中英文名称或通常写法(党员姓名、入党时间);序号列不读。不认识的列要改名,或用 --skip-unknown 不读。\
日期怎么写都行(1998.7.1、1998年7月1日、19980701、Excel 日期);只写年月的用 --month、年份两位的用 --years-from 说明。全角数字和字母、各种空格、看不见的字符会理顺。\
席位写区划代码或名称;所引用的记录写全称、编号或其开头、或其席位的区划代码,也可以是文件中靠前的一行;多个值用逗号或顿号分隔。

每一行找到它的记录:先按编号,再按名称、所在组织和日期(出生,否则入党)。找到就更正不同的格(空格不改动记录),完全相同就不变,找不到就新建。同名而日期不同的是另一人;\
分不清的行被拒绝,并列出可能是谁(用 --namesakes 说明)。编号已属于别人、与文件前面的行重复、节点的规则不允许的行,都在写入之前说明行、列和原因。\
有一行不对就什么也不写;--skip-bad 导入其余各行(退出码 4)。归属、席位不由导入改动。密封的字段也比较和导入,但从不显示,查看会记入审计日志;无权查看的不改。\
中断后再次运行同一文件即可,不会重复;别的节点已导入的行也认得出。",
    "\
Examples:
  heliu import members members.xlsx --dry-run      preview: what becomes of every row; nothing is written
  heliu import members members.xlsx --reason 'ledger of 2026'
  heliu import members roster.csv --skip-unknown --month first
  heliu import orgs orgs.csv
  heliu import orgs 371726.csv          a region file too: a committee for county and townships, a branch per village
  heliu import resource                 lists the columns, and nothing else

Any kind that the node knows can be imported, by its code or its name. A file is XLSX (values as they were saved; formulas are not worked out) or CSV \
(UTF-8, GB18030 or GBK, UTF-16; separated by commas, tabs or semicolons). Titles may stand above the heading, which names columns by code, by their name in either language, \
or as clerks write them (党员姓名, 入党时间); a column of running numbers is not read. Columns that are not known are to be renamed, or left out with --skip-unknown. \
Dates may be written in any way (1998.7.1, 1998年7月1日, 19980701, Excel's days); --month says what a month alone means, --years-from what a year of two digits does. \
Digits and letters of full width, blanks of all widths and characters that cannot be seen are put right. A seat is given by its region code or its name; a record by its full name, its id or a \
beginning of it, or by its seat's region code, and it may be an earlier row of the file; several values are separated by commas.

Every row finds its record: by number, else by name, organisation and a day (birth, else joining). If there is one, cells that differ are corrected (an empty cell changes nothing); if all is the same it is left; \
if there is none, it is made. Who has the name and other days is somebody else; a row of which that cannot be told is refused with whom it could be (see --namesakes). A number that is somebody else's, a row that is there twice, and \
whatever the node's rules refuse is told with line, column and reason before anything is written. If one row is wrong, nothing is written; --skip-bad imports the others (exit code 4). \
Importing moves nothing to another organisation or seat. Sealed fields are compared and imported too but never shown, and that they were read is in the audit log; what you may not read is left as it is. After an \
interruption run the same file again: nothing is made twice, and rows that came from another node are recognised.",
);
pub const EXPORT: Label = label("把一种记录写成表格(CSV、XLSX)", "Write the records of a kind to a table (CSV, XLSX)");
pub const EXPORT_AFTER: Label = label(
    "\
示例:
  heliu export members -o 党员.xlsx
  heliu export 党员 --refers-to 甲村党支部 -o 甲村.csv
  heliu export orgs --format csv -o orgs.csv
  heliu export members --reveal --why 年报核对 -o 党员.xlsx

列与 import 相同,列名和词用现在的语言:改好后原样导入,只更正改过的格;原样导回则什么也不变。XLSX 另有一张表列出可填的词,列中可下拉选择;\
CSV 中以 = + - @ 开头的值前加 ',以免被当作公式,导入时去掉。已终结的记录不写出。密封的字段空着;有权查看的用 --reveal --why 写出,每条记入审计日志。已有的文件不覆盖。",
    "\
Examples:
  heliu export members -o members.xlsx
  heliu export member --refers-to 12345678 -o branch.csv
  heliu export orgs --format csv -o orgs.csv
  heliu export members --reveal --why 'yearly check' -o members.xlsx

The columns are those of import, headings and words are in the language of now: correct some cells and import the file, and these are corrected; as it is, it changes nothing. XLSX has a second sheet with the \
words that are allowed, which are offered in their columns. In CSV a value that begins with = + - @ has a ' in front, so that it is not taken for a formula; import takes it off. Records that have ended are not written. \
Sealed fields are empty; who may read them adds --reveal --why, and each is in the audit log. No file that is there is written over.",
);
pub const TEMPLATE: Label =
    label("写一张只有列名的表格,供填写后导入", "Write a table with nothing but its columns, to be filled in");
pub const TEMPLATE_AFTER: Label = label(
    "\
示例:
  heliu template members -o 党员.xlsx
  heliu template 资源 --format csv -o 资源.csv

与 export 写出的相同,只是没有行。",
    "\
Examples:
  heliu template members -o members.xlsx
  heliu template resource --format csv -o halls.csv

The same as export writes, without any rows.",
);
pub const TABLE_OUT: Label = label("写到这个新文件", "The new file");
pub const TABLE_FORMAT: Label = label("文件种类(默认看扩展名)", "Sort of file (default: by how it is called)");
pub const EXPORT_REVEAL: Label =
    label("密封的字段也写出(须有权查看)", "Write sealed fields too (for who may read them)");
pub const SKIP_BAD: Label =
    label("不合格的行不导入,其余照常导入", "Leave out rows that are refused, and import the others");
pub const SKIP_UNKNOWN: Label = label("不认识的列不读", "Leave out columns that are not known");
pub const SHEET: Label = label("读工作簿的哪张工作表(默认第一张)", "Which sheet of a workbook (default: the first)");
pub const MONTH: Label =
    label("只写年月的日期:first 该月一日,last 该月末日", "What a month without a day means: its first or its last day");
pub const YEARS_FROM: Label = label(
    "两位数的年份从哪年起的一百年,如 1930 即 1930 至 2029",
    "The hundred years in which years of two digits are, by their first: 1930 is 1930 to 2029",
);
pub const NAMESAKES: Label = label(
    "同处有同名者而分不清的行:same 是同一人,new 是另一人",
    "Rows whose name is there and that nothing tells apart: same person, or a new one",
);
pub const OVERWRITE_SEALED: Label =
    label("无权查看的密封字段,不比较就写入", "Write sealed fields that you may not read, without comparing them");
pub const IMPORT_KIND: Label =
    label("记录种类,代号或名称,如 members、资源", "Kind of record, by its code or name, such as members");
pub const IMPORT_ROWS: Label =
    label("CSV 或 XLSX 文件;不写则列出有哪些列", "CSV or XLSX file; without it, the columns are listed");
pub const IMPORT_FILE: Label = label("CSV 或 XLSX 文件", "CSV or XLSX file");
pub const IMPORT_REGIONS: Label = label("把新的区划加入域的名录", "Add new divisions to the realm's directory");
pub const IMPORT_REGIONS_AFTER: Label = label(
    "\
示例:
  heliu import regions 371726.csv --dir ./realm/county --dry-run
  heliu import regions 371726.csv --dir ./realm/county --reason 新设两村

对县级节点(持有签发密钥)办理。列:代码,名称,上级代码(code,name,parent_code)。只能新增;改名、改代码、撤并在后续版本提供。\
名录立即生效,并经链路传给其他节点。若域要求两人签字,则只写出待签的条目。",
    "\
Examples:
  heliu import regions 371726.csv --dir ./realm/county --dry-run
  heliu import regions 371726.csv --dir ./realm/county --reason 'two new villages'

Ask the county's node, which has the issuer's key. Columns: code,name,parent_code (代码,名称,上级代码). It only adds; renaming, recoding and merging \
come with a later version. The directory takes effect at once and travels over the links. Where two signatures are \
needed, the entry is written to a file to be signed.",
);
pub const FOREIGN: Label =
    label("上下级以外席位发来的内容", "What seats outside of this line of superiors and subordinates send");
pub const FOREIGN_AFTER: Label = label(
    "示例:\n  heliu foreign list\n  heliu foreign decline 371726101202 --reason 内容与本村无关\n  heliu foreign accept 371726101202\n\n拒收立即生效,重启后仍有效;已收下的保留,没收下的留在发送一方。",
    "Examples:\n  heliu foreign list\n  heliu foreign decline 371726101202 --reason 'none of our business'\n  heliu foreign accept 371726101202\n\nIt holds at once and after a restart. What is here stays, and what is not taken stays with its sender.",
);
pub const FOREIGN_LIST: Label = label(
    "列出这些席位、其已放改动数和是否拒收",
    "List them, with how much they have here and whether they are declined",
);
pub const FOREIGN_DECLINE: Label = label("不再接收某席位的新内容", "Take nothing new of a seat");
pub const FOREIGN_ACCEPT: Label =
    label("恢复接收,没收下的也再收(以上限为准)", "Take it again, what was left out too, as far as the bound goes");
pub const FOREIGN_SEAT: Label = label("12 位区划代码,或席位编号", "A region code of 12 digits, or a seat's id");

pub const QUARANTINE: Label = label("隔离区:本节点拒收的内容", "What this node refused");
pub const QUARANTINE_AFTER: Label = label(
    "示例:\n  heliu quarantine list\n  heliu quarantine show 7be2…\n  heliu quarantine requeue 7be2… --reason 名录已更新\n  heliu quarantine drop 7be2… --reason 已核实为伪造",
    "Examples:\n  heliu quarantine list\n  heliu quarantine show 7be2…\n  heliu quarantine requeue 7be2… --reason 'the directory has grown'\n  heliu quarantine drop 7be2… --reason 'a forgery'",
);
pub const QUARANTINE_LIST: Label = label("列出拒收的内容及理由", "List it, with the reasons");
pub const QUARANTINE_SHOW: Label = label("查看其中一项及其字节", "Show one of it, with its bytes");
pub const QUARANTINE_REQUEUE: Label =
    label("按现在的名录和程序重新判断", "Judge one anew, by the directory and the program of now");
pub const QUARANTINE_DROP: Label = label("从清单中去掉一项(判断不变)", "Take one off the list; the verdict stays");
pub const QUARANTINE_ID: Label = label("编号,或其开头(至少 8 位)", "Its id, or a beginning of it (8 digits or more)");
pub const QUARANTINE_CODE: Label = label("只列这一种理由", "Only with this reason code");
pub const ACT_REASON: Label = label("事由,记入审计日志", "Why; kept in the audit log");
pub const STRANDED: Label =
    label("滞留的记录和失去依据的编辑", "Records that cannot leave or be read, and edits that lost what they stood on");
pub const STRANDED_AFTER: Label = label(
    "示例:\n  heliu stranded list\n  heliu stranded reissue 90af…\n  heliu stranded discard 90af… --reason 已另行登记",
    "Examples:\n  heliu stranded list\n  heliu stranded reissue 90af…\n  heliu stranded discard 90af… --reason 'entered otherwise'",
);
pub const STRANDED_LIST: Label = label("列出并说明原因", "List them, with the reasons");
pub const STRANDED_REISSUE: Label =
    label("在记录现状上重新提交一项编辑", "Write an edit anew, on top of what the record is now");
pub const STRANDED_DISCARD: Label = label("放弃一项编辑", "Give an edit up");
pub const STRANDED_EDIT: Label = label("编辑的编号(见 list)", "The edit's id, as list shows it");
pub const AUDIT: Label = label("审计日志:谁在本节点做了什么", "The audit log: who did what at this node");
pub const AUDIT_AFTER: Label = label(
    "示例:\n  heliu audit list\n  heliu audit verify\n\n日志只能追加,逐条链接;verify 走完整条链,并与已报给上级的链头比对。一致时退出码为 0。",
    "Examples:\n  heliu audit list\n  heliu audit verify\n\nThe log only grows, and each entry binds all before it; verify walks the whole chain and compares it with the head that was told to the superior. The exit code is 0 if all is well.",
);
pub const AUDIT_LIST: Label = label("列出日志,从旧到新", "List it, oldest first");
pub const AUDIT_VERIFY: Label = label("核对整条链", "Verify the whole chain");
pub const AUDIT_FROM: Label = label("从这一条之后列起", "After this entry");
pub const ALARMS: Label = label("需要管理员处理的事", "What needs an administrator's attention");
pub const ALARMS_AFTER: Label = label(
    "示例:\n  heliu alarms\n\n有严重的警报时退出码为 1。",
    "Example:\n  heliu alarms\n\nThe exit code is 1 if one of them is grave.",
);
pub const REVEAL: Label =
    label("打开一条记录的密封字段(记入审计日志)", "Open the sealed fields of a record; it is logged");
pub const REVEAL_AFTER: Label = label(
    "示例:\n  heliu reveal 9c41d07e --why 核对联系电话",
    "Example:\n  heliu reveal 9c41d07e --why 'to check the telephone number'",
);
pub const REVEAL_WHY: Label = label("为什么要看,记入审计日志", "Why you need to see them; kept in the audit log");
pub const REVEAL_SKIP: Label =
    label("从第几个值之后列起(每个字段)", "Of each field, leave out so many values and show those that follow");
pub const ERASE: Label = label("在所有节点永久抹除一条记录", "Erase a record everywhere and for good");
pub const ERASE_AFTER: Label = label(
    "示例:\n  heliu erase 9c41d07e --reason 本人申请,文号12号 --yes\n  heliu receipt 9c41…(全部 64 位)\n\n须由记录原属席位的上级办理。抹除不能撤销:密文、密钥、视图、索引在各节点一并删除,恢复备份后也会再次抹除。",
    "Example:\n  heliu erase 9c41d07e --reason 'asked for by the person, letter 12' --yes\n  heliu receipt 9c41… (all 64 digits)\n\nIt takes a superior of the seat that made the record. It cannot be undone: bytes, keys, views and indices go at every node, and again after a backup is restored.",
);
pub const ERASE_REASON: Label = label("事由,记入审计日志", "Why; kept in the audit log");
pub const RECEIPT: Label = label("抹除回执:哪些节点已确认", "Who has confirmed an erasure");
pub const RECEIPT_AFTER: Label = label(
    "示例:\n  heliu receipt 9c41…(全部 64 位)\n\n本席位及其下级的节点都已确认时退出码为 0。",
    "Example:\n  heliu receipt 9c41… (all 64 digits)\n\nThe exit code is 0 when every node of this seat and below has confirmed.",
);
pub const RECEIPT_ID: Label = label("记录的完整编号(64 位)", "The record's whole id (64 digits)");
pub const YES: Label = label("不再询问(供脚本使用)", "Do not ask (for scripts)");
