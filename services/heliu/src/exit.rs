//! The exit codes, and what each means.

use std::process::ExitCode;

use heliu_record::kind::{Label, label};

/// Stable: scripts go by it. What each means is said once, in [`Exit::means`], which `heliu --help` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    Refused = 4,
    Store = 5,
    Busy = 6,
}

impl Exit {
    pub const ALL: [Exit; 6] = [Exit::Failed, Exit::Usage, Exit::Unreachable, Exit::Refused, Exit::Store, Exit::Busy];

    pub fn means(self) -> Label {
        match self {
            Exit::Failed => label(
                "未成功:要找的不在,或答案是否定的(核对不一致、检查有问题)",
                "not done: what was asked for is not there, or the answer is no (not equal, not well)",
            ),
            Exit::Usage => label(
                "给出的内容不对:参数、所指的文件,或文件的内容",
                "what was given is wrong: an argument, a file that it names, or what is in the file",
            ),
            Exit::Unreachable => label(
                "连不上节点,或节点没有及时答复、正在停止:稍后重试",
                "the node cannot be reached, did not answer in time, or stops: try again",
            ),
            Exit::Refused => label("被规则拒绝,或没有权限", "refused by a rule, or for lack of authority"),
            Exit::Store => label(
                "存储有问题:磁盘已满、达到配额、有损坏,或正被占用",
                "the store: its disk is full, its quota is reached, it is damaged or in use",
            ),
            Exit::Busy => label(
                "次数、连接或等待的太多,或所需内容尚未到达:过一会儿再试",
                "too many attempts, links or requests, or something has not arrived: try again later",
            ),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
