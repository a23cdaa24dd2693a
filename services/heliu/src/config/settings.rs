//! The settings of a node as data: key, form, default and help. Reading, overriding by the environment, complaining and
//! writing a commented file all go by this list; a new setting is a line here and a field of `Config`.

use std::net::SocketAddr;

use heliu_record::kind::{Label, label};

use crate::text::{Say, say};

#[derive(Debug)]
pub struct Setting {
    /// As in the file; before a dot stands its table.
    pub key: &'static str,
    pub form: Form,
    /// As it would stand in the environment. None: it must be given.
    pub default: Option<&'static str>,
    pub help: Label,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Path,
    /// An IP address and a port to listen on.
    Listen,
    /// A list; each of its items is one node, by one or more `host:port` with blanks between.
    Nodes,
    /// A list of host names and addresses.
    Names,
    /// A public key: 64 hexadecimal digits.
    Key,
    Whole {
        min: u64,
        max: u64,
    },
    Choice(&'static [&'static str]),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Whole(u64),
    List(Vec<String>),
}

/// Those without a table first: in TOML they have to.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        form: Form::Listen,
        default: Some("127.0.0.1:7340"),
        help: label(
            "监听地址;0.0.0.0:7340 为本机所有地址",
            "Where it listens; 0.0.0.0:7340 is every address of this machine",
        ),
    },
    Setting {
        key: "data_dir",
        form: Form::Path,
        default: Some("data"),
        help: label(
            "数据目录;相对路径从本文件所在目录算起",
            "Where the store is; a relative path begins where this file is",
        ),
    },
    Setting {
        key: "key_file",
        form: Form::Path,
        default: Some("node.key"),
        help: label("节点私钥文件,权限须为 0600", "The node's private key; its mode must be 0600"),
    },
    Setting {
        key: "sealing_key_file",
        form: Form::Path,
        default: Some("sealing.key"),
        help: label(
            "节点的解封私钥:凭它读密封字段,权限须为 0600",
            "The private key with which the node reads sealed fields; its mode must be 0600",
        ),
    },
    Setting {
        key: "issuer_key_file",
        form: Form::Path,
        default: Some("issuer.key"),
        help: label(
            "域的签发密钥:有此文件的节点(县级)才写名录;没有则交给上级",
            "The issuer's key: a node that has this file (the county's) writes the directory; others pass it up",
        ),
    },
    Setting {
        key: "directory_file",
        form: Form::Path,
        default: Some("directory.bin"),
        help: label(
            "席位和节点的名录;首次启动后存入存储",
            "Directory of seats and nodes; kept in the store after the first start",
        ),
    },
    Setting {
        key: "shutdown_seconds",
        form: Form::Whole { min: 1, max: 600 },
        default: Some("10"),
        help: label("退出时最多用多少秒收尾", "How many seconds it may take to stop"),
    },
    Setting {
        key: "realm.name",
        form: Form::Text,
        default: None,
        help: label(
            "域的名称;与根公钥一起决定域的编号",
            "The realm's name; with the root's key it makes the realm's id",
        ),
    },
    Setting {
        key: "realm.root",
        form: Form::Key,
        default: None,
        help: label(
            "域的根公钥:本节点只信由它而来的名录",
            "The realm's root public key: only a directory that follows from it is believed",
        ),
    },
    Setting {
        key: "security.mode",
        form: Form::Choice(&["tls", "loopback-plain"]),
        default: Some("tls"),
        help: label(
            "tls:加密,节点凭证书,人和程序凭令牌;loopback-plain:仅供开发,本机任何人都能读写一切",
            "tls: encrypted, nodes by certificate, people and programs by token; loopback-plain: for development alone, everybody on this machine may do everything",
        ),
    },
    Setting {
        key: "security.certificate_file",
        form: Form::Path,
        default: Some("tls.crt"),
        help: label(
            "TLS 证书;没有则自动生成,到期前自动更换(也可 heliu rotate)",
            "TLS certificate; made where there is none, and renewed in time (or with heliu rotate)",
        ),
    },
    Setting {
        key: "security.key_file",
        form: Form::Path,
        default: Some("tls.key"),
        help: label("TLS 证书的私钥", "The certificate's private key"),
    },
    Setting {
        key: "security.access_file",
        form: Form::Path,
        default: Some("access.json"),
        help: label(
            "访问令牌清单(只存散列);用 heliu access 增删",
            "The access tokens, hashed; to add or revoke one: heliu access",
        ),
    },
    Setting {
        key: "security.names",
        form: Form::Names,
        default: Some(""),
        help: label(
            "写进证书的主机名和地址,供第三方程序核对;节点之间不看",
            "Host names and addresses for the certificate, for programs of others; nodes do not go by them",
        ),
    },
    Setting {
        key: "links.parents",
        form: Form::Nodes,
        default: Some(""),
        help: label(
            "上级的节点,每个一条链路;同一节点的多个地址用空格分开,依次尝试",
            "The superior's nodes, one link each; several addresses of one node, with blanks between, are tried in turn",
        ),
    },
    Setting {
        key: "links.peers",
        form: Form::Nodes,
        default: Some(""),
        help: label("同一席位的其他节点(镜像),写法同上", "Other nodes of the same seat (mirrors), written likewise"),
    },
    Setting {
        key: "links.retry_seconds_max",
        form: Form::Whole { min: 1, max: 3600 },
        default: Some("60"),
        help: label("断线后两次重连之间最多隔多少秒", "At most so many seconds between two attempts to connect"),
    },
    Setting {
        key: "store.cache_kib",
        form: Form::Whole { min: 64, max: 4_194_304 },
        default: Some("2048"),
        help: label("每个存储连接的缓存(KiB)", "Cache of each connection to the store, in KiB"),
    },
    Setting {
        key: "store.quota_mib",
        form: Form::Whole { min: 0, max: 16_777_216 },
        default: Some("0"),
        help: label(
            "存储最多占多少 MiB;0 为不限。到限后只读,不丢数据",
            "The store takes at most so many MiB; 0: no limit. At the limit it is read-only and loses nothing",
        ),
    },
    Setting {
        key: "foreign.leaves_max",
        form: Form::Whole { min: 0, max: 1_000_000_000 },
        default: Some("512"),
        help: label(
            "上下级以外的每个席位,最多能往本席位(及每个下级)放多少条改动;超出的留在发送一方,heliu alarms 会提示",
            "Changes that each seat outside of this line of superiors and subordinates may put here, for this seat and for each below; what is more stays where it is, and heliu alarms tells of it",
        ),
    },
    Setting {
        key: "log.format",
        form: Form::Choice(&["human", "json"]),
        default: Some("human"),
        help: label("日志格式;详略用 RUST_LOG 调", "Form of the log; RUST_LOG says how much of it"),
    },
];

impl Setting {
    /// The variable that overrides it: `HELIU_LINKS_PARENTS`.
    pub fn variable(&self) -> String {
        format!("HELIU_{}", self.key.replace('.', "_").to_uppercase())
    }

    pub fn table(&self) -> Option<&'static str> {
        self.key.split_once('.').map(|(table, _)| table)
    }

    /// Without its table.
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(_, name)| name)
    }
}

impl Form {
    /// Reads what stands in a variable; items of a list are separated by commas.
    pub fn read(self, text: &str) -> Option<Value> {
        let text = text.trim();
        match self {
            Form::Text | Form::Path => (!text.is_empty()).then(|| Value::Text(text.to_owned())),
            Form::Listen => text.parse::<SocketAddr>().ok().map(|_| Value::Text(text.to_owned())),
            Form::Key => {
                let is_key = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
                is_key.then(|| Value::Text(text.to_ascii_lowercase()))
            }
            Form::Whole { min, max } => {
                let number = text.parse().ok().filter(|number| (min..=max).contains(number))?;
                Some(Value::Whole(number))
            }
            Form::Choice(choices) => choices.contains(&text).then(|| Value::Text(text.to_owned())),
            Form::Nodes | Form::Names => self.read_list(text.split(',').map(str::trim).filter(|item| !item.is_empty())),
        }
    }

    pub fn read_list<'i>(self, items: impl Iterator<Item = &'i str>) -> Option<Value> {
        let items: Vec<String> = items.map(str::to_owned).collect();
        let is_node = |item: &String| {
            let mut addresses = item.split_whitespace().peekable();
            addresses.peek().is_some() && addresses.all(is_address)
        };
        let is_name = |item: &String| !item.is_empty() && !item.contains(['/', ' ']);
        let is_good = match self {
            Form::Nodes => items.iter().all(is_node),
            Form::Names => items.iter().all(is_name),
            _ => false,
        };
        is_good.then_some(Value::List(items))
    }

    /// What should stand there.
    pub fn expects(self) -> Say {
        match self {
            Form::Text => say!("一段文字", "a text"),
            Form::Path => say!("一个路径", "a path"),
            Form::Listen => say!("IP 地址和端口,如 127.0.0.1:7340", "an IP address and a port, such as 127.0.0.1:7340"),
            Form::Nodes => {
                say!("地址列表,如 [\"127.0.0.1:7340\"]", "a list of addresses, such as [\"127.0.0.1:7340\"]")
            }
            Form::Names => say!("主机名列表,如 [\"a.example\"]", "a list of host names, such as [\"a.example\"]"),
            Form::Key => say!("64 位十六进制公钥", "a public key of 64 hexadecimal digits"),
            Form::Whole { min, max } => say!("{min} 到 {max} 的整数", "a whole number from {min} to {max}"),
            Form::Choice(choices) => {
                let choices = choices.join(", ");
                say!("其中之一:{choices}", "one of: {choices}")
            }
        }
    }
}

/// `host:port`; the host may be a name, or an IPv6 address in brackets.
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_host = !bare.is_empty() && (bare.len() < host.len() || !bare.contains(':')) && !bare.contains('/');
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}
