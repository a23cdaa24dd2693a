//! What `heliu demo` says of itself.

use heliu_record::kind::Label;

use super::label;

pub const DEMO: Label = label("全县在一个进程里演示一遍", "A whole county in one process, with a story");
pub const DEMO_AFTER: Label = label(
    "\
示例:
  heliu demo                          运行故事,然后保持运行,打印可以试的命令
  heliu demo --once --json            供脚本使用,最后一行是一个 JSON 对象
  heliu demo --regions 330502.csv     换一个县",
    "\
Examples:
  heliu demo                          tells the story, then stays up and prints commands to try
  heliu demo --once --json            for scripts; the last line is one JSON object
  heliu demo --regions 330502.csv     another county",
);
pub const DEMO_ONCE: Label = label("故事讲完就退出", "Exit after the story");
pub const DEMO_JSON: Label = label("最后一行输出一个 JSON 对象", "Print one JSON object as the last line");
pub const DEMO_REGIONS: Label =
    label("区划文件(CSV),默认内置的鄄城县", "Region file (CSV) (default: the embedded county 371726)");
pub const DEMO_MEMBERS: Label = label("模拟党员人数", "How many synthetic members");
pub const DEMO_SEED: Label = label(
    "随机种子:同一种子生成同样的组织、人员和故事;密钥和编号每次另取",
    "Seed: the same one makes the same organisations, people and story; keys and ids are drawn anew",
);
pub const DEMO_DIR: Label = label(
    "各节点的数据目录;默认临时目录,结束时删除",
    "Where the nodes keep their data (default: a temporary place, removed at the end)",
);
