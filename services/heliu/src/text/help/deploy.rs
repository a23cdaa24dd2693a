//! Help of the verbs that make realms, let nodes in and shut them out.

use heliu_record::kind::Label;

use super::label;

pub const INIT: Label =
    label("建立一个域:离线密钥、县级节点、名录", "Make a realm: its offline keys, the county's node, the directory");
pub const INIT_AFTER: Label = label(
    "\
示例:
  heliu init --regions 371726.csv --dir ./realm
  heliu init --regions 371726.csv --dir ./realm --listen 0.0.0.0:7340 --address county.example:7340
  heliu init --regions 371726.csv --dir ./trial \\
      --node 371726000000=127.0.0.1:7340 --node 371726101000=127.0.0.1:7341     一台机器上试用

在 DIR 下生成:
  root/    离线密钥:根(root.key)和密封数据的备用钥匙(escrow.key)。请移到离线介质,从本机删除
  county/  县级节点的目录,可以直接运行:heliu.toml、node.key、sealing.key、issuer.key(签发密钥)、directory.bin、\
access.json(访问令牌清单)、local.access(本机管理用的令牌)
  nodes/   与域一起做成的其他节点(仅 --node、--all-tiers)
其他机器用令牌入域:见 heliu enroll --help、heliu join --help。已有的域绝不覆盖。",
    "\
Examples:
  heliu init --regions 371726.csv --dir ./realm
  heliu init --regions 371726.csv --dir ./realm --listen 0.0.0.0:7340 --address county.example:7340
  heliu init --regions 371726.csv --dir ./trial \\
      --node 371726000000=127.0.0.1:7340 --node 371726101000=127.0.0.1:7341     a trial on one machine

Makes under DIR:
  root/    offline keys: the root (root.key) and the escrow of sealed data (escrow.key). Take them off this machine
  county/  the county's node, ready to run: heliu.toml, node.key, sealing.key, issuer.key (the issuer's), directory.bin, \
access.json (the access tokens, hashed), local.access (a token for whoever sits at this machine)
  nodes/   other nodes that were made with the realm (only with --node or --all-tiers)
Other machines join with a token: see heliu enroll --help and heliu join --help. An existing realm is never overwritten.",
);
pub const INIT_REGIONS: Label = label(
    "区划文件:CSV,列为 code,name,parent_code(源码的 deploy/regions 中有一份)",
    "Region file: CSV with the columns code,name,parent_code (one is in the sources, deploy/regions)",
);
pub const INIT_DIR: Label = label("域的目录,须不存在或为空", "Where to make it; must not exist, or be empty");
pub const INIT_NAME: Label =
    label("域的名称,默认县的区划代码", "Name of the realm (default: the county's region code)");
pub const INIT_LISTEN: Label = label(
    "监听地址,默认 0.0.0.0:7340(本机所有地址)",
    "Where the node listens (default: 0.0.0.0:7340, every address of this machine)",
);
pub const PUBLIC_ADDRESS: Label = label(
    "别的机器连它所用的地址;可多次给出,默认由监听地址推出",
    "Where other machines reach it; may be repeated (default: it follows from where it listens)",
);
pub const TIME_ZONE: Label = label(
    "域的时区(时区库名称):命令没给日期时,按它记“今日”",
    "The realm's time zone, by its name in the tz database: where a command is given no date, it is the day there",
);
pub const INIT_NODE: Label = label(
    "另为某席位生成一个节点,供一台机器上试用;可多次给出",
    "Also make a node for a seat, for trials on one machine; may be repeated",
);
pub const INIT_ALL_TIERS: Label =
    label("每个席位一个节点,都在 127.0.0.1,端口依次递增", "One node per seat, all on 127.0.0.1, on ports in a row");
pub const INIT_PORT: Label = label("--all-tiers 时第一个节点的端口", "With --all-tiers: port of the first node");

pub const SEAT: Label = label("席位:12 位区划代码或席位编号", "The seat: its 12-digit region code, or its id");
pub const ENROLL: Label = label("为一个席位签发一次性入域令牌", "Make a one-time join token for a seat");
pub const ENROLL_AFTER: Label = label(
    "\
示例:
  heliu enroll 371726101000 --dir ./realm/county
  heliu enroll 371726101201 --valid 2h --out village.token

令牌如同口令:谁拿到谁能入域,只能用一次。经可靠渠道交给那台机器的人。写错了、泄露了:heliu directory revoke-token。\
县级可为任何席位签发;乡镇经 heliu delegate 授权后可为所辖的村签发。",
    "\
Examples:
  heliu enroll 371726101000 --dir ./realm/county
  heliu enroll 371726101201 --valid 2h --out village.token

A token is like a password: whoever has it can join with it, once. Hand it over on a way that you trust. If it leaks: heliu \
directory revoke-token. The county makes them for any seat; a township, once it is delegated, for its villages.",
);
pub const ENROLL_VALID: Label =
    label("有效多久,如 30m、24h、7d;最长 30d", "Valid for so long: 30m, 24h, 7d; 30d at most");
pub const ENROLL_ADDRESS: Label = label(
    "新机器连本节点所用的地址;可多次给出,默认名录中登记的",
    "Where the new machine reaches this node; may be repeated (default: as in the directory)",
);
pub const ENROLL_OUT: Label = label("把令牌写到这个新文件(0600)", "Write the token to this new file, with mode 0600");
pub const ENROLL_QUIET: Label = label("只输出令牌", "Print the token and nothing else");

pub const JOIN: Label = label("凭令牌入域:生成密钥和配置,然后运行节点", "Join a realm with a token, then run the node");
pub const JOIN_AFTER: Label = label(
    "\
示例:
  heliu join --dir /var/lib/heliu
  heliu join village.token --listen 0.0.0.0:7340 --address 10.3.0.7:7340
  heliu join - --no-start < village.token

没有给出令牌时在终端上询问。写在命令行上的令牌本机其他用户看得到。密钥在本机生成,不离开本机。完成后像 heliu node 一样在前台运行,首次与上级核对一致时会说明。\
中途断了:用同一令牌再运行一次即可,密钥不变。以后启动:heliu node --dir DIR。",
    "\
Examples:
  heliu join --dir /var/lib/heliu
  heliu join village.token --listen 0.0.0.0:7340 --address 10.3.0.7:7340
  heliu join - --no-start < village.token

Without a token it asks for one at the terminal. What is typed on the command line others on this machine can see. The keys \
are made on this machine and never leave it. Then the node runs in the foreground like heliu node, and says when it \
is first verified equal with its superior. If it is interrupted, run it again with the same token: the keys stay the same. \
Later: heliu node --dir DIR.",
);
pub const JOIN_TOKEN: Label = label(
    "存有令牌的文件,或 - 表示从标准输入读,或令牌本身;不给则读环境变量 HELIU_JOIN_TOKEN,再没有就在终端上询问",
    "A file that holds the token, or - for standard input, or the token itself; else the variable HELIU_JOIN_TOKEN, else it is asked for",
);
pub const JOIN_DIR: Label =
    label("节点的目录,默认 ./heliu-<区划代码>", "The node's directory (default: ./heliu-<region code>)");
pub const JOIN_NO_START: Label = label("只入域,不运行", "Join only; do not run the node");
pub const JOIN_JSON: Label = label("结果和日志输出为 JSON", "Print the result, and write the log, as JSON");

pub const NODES: Label = label("列出域中登记的全部节点", "List every enrolled node");
pub const NODES_AFTER: Label = label("示例:\n  heliu nodes", "Example:\n  heliu nodes");

pub const PROPOSE_REASON: Label = label("事由,记入审计日志", "Why; kept in the audit log");
pub const PROPOSE_OUT: Label = label(
    "若需第二人签字,把条目写到这个文件(默认 directory-<序号>.entry)",
    "Where a second signature is needed, the entry goes here (default: directory-<index>.entry)",
);
pub const DELEGATE: Label = label("授权一个席位为其下级签发入域令牌", "Let a seat enrol nodes for the seats below it");
pub const DELEGATE_AFTER: Label = label(
    "示例:\n  heliu delegate 371726101000 --dir ./realm/county\n  heliu delegate 371726101000 --off",
    "Examples:\n  heliu delegate 371726101000 --dir ./realm/county\n  heliu delegate 371726101000 --off",
);
pub const DELEGATE_OFF: Label = label("收回授权;已入域的节点不受影响", "Take it back; nodes that joined stay");
pub const FENCE: Label = label("把一个节点永久隔离在外", "Shut a node out for good");
pub const FENCE_AFTER: Label = label(
    "\
示例:
  heliu fence 5d0a99e1 --reason 机器被盗 --yes
  heliu fence 5d0a99e1 --nothing --reason 密钥在使用前已泄露
  heliu fence 5d0a99e1 --exclude 90af3c55 --exclude 1b7e2d04 --reason 失窃后冒写了两处

默认保留县级此刻已收到的该节点的变更;此后的一律排除,不论写的日期。失窃后、隔离前已到达的假变更,用 --exclude 逐个排除:\
heliu history 记录编号 在每条末尾显示变更编号(不是提交编号)。机器找回或更换后,用新令牌重新入域。",
    "\
Examples:
  heliu fence 5d0a99e1 --reason 'the machine was stolen' --yes
  heliu fence 5d0a99e1 --nothing --reason 'its key leaked before it was used'
  heliu fence 5d0a99e1 --exclude 90af3c55 --exclude 1b7e2d04 --reason 'the thief wrote two changes'

What the county has of the node up to now stays good; everything else of it is excluded, whatever its date. What a thief \
wrote and the county has already is excluded change by change, with --exclude: heliu history RECORD shows the id of each \
change (not of its commit). A replaced machine joins anew, with a new token.",
);
pub const FENCE_NODE: Label = label(
    "节点编号,或其开头(至少 8 位);见 heliu nodes",
    "A node's id, or a beginning of it (8 digits or more); see heliu nodes",
);
pub const FENCE_NOTHING: Label = label("该节点写过的一律不保留", "Keep nothing that it wrote");
pub const FENCE_EXCLUDE: Label = label(
    "已到达的变更中也排除这一个:变更编号或其开头(至少 8 位),见 heliu history;可多次给出",
    "Of what has arrived, exclude this change as well: its id or a beginning of it (8 digits or more), as heliu history shows \
         it; may be repeated",
);
pub const TWO_SIGNATURES: Label =
    label("要求两人签字才能加第二节点、隔离、加席位", "Require two signatures for a second node, a fence, new seats");
pub const TWO_SIGNATURES_AFTER: Label = label(
    "示例:\n  heliu two-signatures on --reason 制度要求\n\n先由根增加副签人:heliu directory key、heliu root cosigner。",
    "Example:\n  heliu two-signatures on --reason 'as the rules say'\n\nFirst the root adds a second signer: heliu directory key, heliu root cosigner.",
);
pub const SWITCH: Label = label("开或关", "On or off");

pub const DIRECTORY: Label =
    label("域的名录:席位、节点、授权的签名日志", "The realm's directory: the signed log of seats and nodes");
pub const DIRECTORY_AFTER: Label = label(
    "\
示例:
  heliu directory list
  heliu directory save directory.bin                      离线签字前取一份
  heliu directory key cosigner.key                        副签人生成自己的密钥
  heliu directory sign directory-7.entry --key cosigner.key --directory directory.bin
  heliu directory append directory-7.entry --reason 两人已签
  heliu directory revoke-token 令牌
  heliu directory addresses 5d0a99e1 10.3.0.8:7340
  heliu directory time-zone Asia/Urumqi --reason 我们在那里",
    "\
Examples:
  heliu directory list
  heliu directory save directory.bin                      needed to sign offline
  heliu directory key cosigner.key                        a second signer makes a key
  heliu directory sign directory-7.entry --key cosigner.key --directory directory.bin
  heliu directory append directory-7.entry --reason 'both have signed'
  heliu directory revoke-token TOKEN
  heliu directory addresses 5d0a99e1 10.3.0.8:7340
  heliu directory time-zone Asia/Urumqi --reason 'that is where we are'",
);
pub const DIRECTORY_LIST: Label = label("逐条列出", "List it, entry by entry");
pub const DIRECTORY_SAVE: Label = label("把整个名录存成文件", "Save the whole directory to a file");
pub const DIRECTORY_APPEND: Label = label("提交已签好的条目", "Enter entries that are signed");
pub const DIRECTORY_SIGN: Label = label("为条目加上第二个签名(离线)", "Add the second signature to an entry, offline");
pub const DIRECTORY_KEY: Label =
    label("为副签人生成密钥,显示公钥", "Make a second signer's key, and show its public half");
pub const DIRECTORY_REVOKE: Label = label("撤销一个未用的入域令牌", "Revoke a join token");
pub const DIRECTORY_ADDRESSES: Label = label("更改节点的地址", "Change a node's addresses");
pub const DIRECTORY_TIME_ZONE: Label = label("更改域的时区", "Change the realm's time zone");
pub const DIRECTORY_FROM: Label = label("从第几条起", "From this entry on");
pub const DIRECTORY_SAVE_FILE: Label = label(
    "写到哪个文件;已有的只有是同一名录的旧本时才更新",
    "The file to write; one that is there is brought up to date only if it is an older copy of the same directory",
);
pub const DIRECTORY_ENTRY: Label = label("签名条目的文件", "A file with a signed entry");
pub const DIRECTORY_SIGN_KEY: Label = label("副签人的私钥文件", "The second signer's private key");
pub const DIRECTORY_FILE: Label = label("名录文件(heliu directory save)", "The directory, from heliu directory save");
pub const SIGN_OUT: Label = label("结果写到这个新文件", "Write the result to this new file");
pub const DIRECTORY_KEY_FILE: Label = label("写到哪个文件(0600)", "The file to write, with mode 0600");
pub const REVOKE_TOKEN: Label = label(
    "令牌的编号(32 位十六进制),或令牌:- 或 @文件",
    "The token's id (32 hexadecimal digits), or the token: -, or @FILE",
);

pub const ROOT: Label = label(
    "根的裁定:离线签字,再由 directory append 提交",
    "Acts of the root: signed offline, entered with directory append",
);
pub const ROOT_AFTER: Label = label(
    "\
示例(在离线的机器上;directory.bin 与 root.key 同在):
  heliu root issuer --root-key root.key --new-issuer-key new-issuer.key    更换签发密钥
  heliu root cosigner <公钥> --root-key root.key                           增加副签人
  heliu root two-signatures off --root-key root.key
  heliu root escrow --new-escrow-key new-escrow.key --root-key root.key
  heliu root resolve --keep ours.bin --drop theirs.bin --new-issuer-key new-issuer.key --root-key root.key
                                                                           裁定名录分叉
  heliu root reveal 9c41d07e --escrow-key escrow.key --data ./county-data  打开密封字段
签字前先在县级节点取最新的名录(heliu directory save directory.bin)带来;然后在任一节点上:
  heliu directory append directory-8.entry --reason …",
    "\
Examples (on the offline machine, with directory.bin beside root.key):
  heliu root issuer --root-key root.key --new-issuer-key new-issuer.key    replaces the issuer
  heliu root cosigner PUBLIC-KEY --root-key root.key                       adds a second signer
  heliu root two-signatures off --root-key root.key
  heliu root escrow --new-escrow-key new-escrow.key --root-key root.key
  heliu root resolve --keep ours.bin --drop theirs.bin --new-issuer-key new-issuer.key --root-key root.key
                                                                           decides a forked directory
  heliu root reveal 9c41d07e --escrow-key escrow.key --data ./county-data  opens sealed fields
First bring the newest directory from the county's node (heliu directory save directory.bin). Then, at a node:
  heliu directory append directory-8.entry --reason …",
);
pub const ROOT_ISSUER: Label = label("更换签发密钥", "Replace the issuer's key");
pub const ROOT_COSIGNER: Label = label("增加或撤销副签人", "Add or remove a second signer");
pub const ROOT_ESCROW: Label = label("更换密封数据的备用钥匙", "Replace the escrow key");
pub const ROOT_TWO_SIGNATURES: Label = label("开关两人签字", "Turn two signatures on or off");
pub const ROOT_RESOLVE: Label = label("裁定名录分叉:留一支,弃其余", "Decide a forked directory: one branch stays");
pub const ROOT_RESOLVE_AFTER: Label = label(
    "\
示例:
  heliu directory save ours.bin --dir ./realm/county       在持有要保留的一支的节点上
  heliu directory save theirs.bin --dir ./node             在持有要放弃的一支的节点上
  heliu root resolve --keep ours.bin --drop theirs.bin --root-key root.key --new-issuer-key new-issuer.key
  heliu directory append directory-7.entry --reason 根已裁定    在任一节点上

哪两个节点各持一支,heliu alarms 在各节点上说明。本命令自行找出分叉处和要放弃的版本;保留的一支自分叉处起的内容重新登记。\
放弃的一支里也有要留的(席位、节点),请在裁定后重新办理。另一支的文件取不到时,用 --from 和 --abandon,两者都在 heliu alarms 中。",
    "\
Examples:
  heliu directory save ours.bin --dir ./realm/county       at a node that has the branch to keep
  heliu directory save theirs.bin --dir ./node             at a node that has the branch to drop
  heliu root resolve --keep ours.bin --drop theirs.bin --root-key root.key --new-issuer-key new-issuer.key
  heliu directory append directory-7.entry --reason 'the root has decided'    at any node

Which nodes have which branch, heliu alarms tells at each. It finds the place where they part and the versions to give up by \
itself; what the branch that stays says from there on is entered anew. What is good in the other one (seats, nodes) is done \
again afterwards. If no file of the other one can be had, use --from and --abandon: heliu alarms shows both.",
);
pub const ROOT_REVEAL: Label =
    label("用备用钥匙打开一条记录的密封字段", "Open the sealed fields of a record with the escrow key");
pub const ROOT_REVEAL_AFTER: Label = label(
    "\
示例(在离线的机器上,带来节点数据目录的副本):
  heliu root reveal 9c41d07e --escrow-key escrow.key --data ./county-data

只在能读的节点全部失去时使用;平时用 heliu reveal(记入审计日志)。副本在节点停止时复制,例如 cp -r ./realm/county/data \
./county-data。读出的值可在新入域的节点上重新登记(heliu do record.set)。",
    "\
Example (on the offline machine, with a copy of a node's data directory):
  heliu root reveal 9c41d07e --escrow-key escrow.key --data ./county-data

For when no node is left that may read; else use heliu reveal, which is on record. Make the copy while the node is stopped, as \
with cp -r ./realm/county/data ./county-data. What it shows can be entered anew at a node that has joined since (heliu do \
record.set).",
);
pub const ROOT_REVEAL_KEY: Label = label("备用钥匙的文件(escrow.key)", "The escrow's private key (escrow.key)");
pub const ROOT_REVEAL_DATA: Label =
    label("节点数据目录的副本(内有 heliu.db)", "A copy of a node's data directory (with heliu.db in it)");
pub const ROOT_KEY: Label = label("根私钥文件", "The root's private key");
pub const ROOT_DIRECTORY: Label = label(
    "名录文件,默认与根私钥同目录的 directory.bin",
    "The directory (default: directory.bin beside the root's key)",
);
pub const ROOT_NEW_ISSUER: Label =
    label("新签发密钥的文件;没有则生成", "The new issuer's key; it is made if the file is not there");
pub const ROOT_COSIGNER_KEY: Label =
    label("副签人的公钥(64 位十六进制)", "The second signer's public key (64 hexadecimal digits)");
pub const ROOT_COSIGNER_OFF: Label = label("撤销", "Remove");
pub const ROOT_NEW_ESCROW: Label =
    label("新备用钥匙的文件;没有则生成", "The new escrow key; it is made if the file is not there");
pub const ROOT_RESOLVE_KEEP: Label =
    label("保留的一支的名录文件(heliu directory save)", "The directory that stays, from heliu directory save");
pub const ROOT_RESOLVE_DROP: Label = label(
    "放弃的一支的名录文件;可多次给出",
    "A directory that is given up, from heliu directory save; may be repeated",
);
pub const ROOT_RESOLVE_FROM: Label =
    label("没有 --drop 的文件时:从第几条起分叉", "Without a file for --drop: the entry from which on they differ");
pub const ROOT_RESOLVE_ABANDON: Label = label(
    "另外放弃的版本(64 位十六进制),其文件取不到;可多次给出",
    "Another version to give up (64 hexadecimal digits), of which there is no file; may be repeated",
);

pub const LOCAL_DIR: Label = label("节点的目录,默认当前目录", "A node's directory (default: the current one)");
pub const ACCESS: Label =
    label("访问令牌:人和程序能在本节点做什么", "Access tokens: what people and programs may do at a node");
pub const ACCESS_AFTER: Label = label(
    "\
示例:
  heliu access add --name 张三 --role read --role write --seat 371726101000 --expires 365d --out zhangsan.access
  heliu access list
  heliu access revoke 12ab34cd

在节点的机器上运行。角色(--role):read 读记录、write 发命令、operate 运维、audit 审计、registry 名录与抹除、reveal 打开密封字段;all 为全部;也可写中文名。\
令牌只在生成时写入 --out 的文件,节点只存散列;几秒内生效,不用重启。",
    "\
Examples:
  heliu access add --name clerk --role read --role write --seat 371726101000 --expires 365d --out clerk.access
  heliu access list
  heliu access revoke 12ab34cd

Run it on the node's machine. Roles: read (records), write (commands), operate, audit, registry (directory, erasure), reveal \
(sealed fields), or all. The token is in the file of --out alone: the node keeps a hash. It takes effect within seconds, \
without a restart.",
);
pub const ACCESS_ADD: Label = label("新建一个令牌", "Make a token");
pub const ACCESS_LIST: Label = label("列出令牌", "List them");
pub const ACCESS_REVOKE: Label = label("撤销一个令牌", "Revoke one");
pub const ACCESS_NAME: Label = label("持有人,记入审计日志", "Who bears it; shown in the audit log");
pub const ACCESS_ROLE: Label = label("角色;可多次给出", "A role; may be repeated");
pub const ACCESS_SEAT: Label =
    label("只限这个席位及其下级的记录;可多次给出", "Only records of this seat and below; may be repeated");
pub const ACCESS_KIND: Label = label("只限这一种记录;可多次给出", "Only records of this kind; may be repeated");
pub const ACCESS_EXPIRES: Label =
    label("多久后失效,如 90d;默认不失效", "Valid for so long, such as 90d (default: for ever)");
pub const ACCESS_OUT: Label = label("访问文件写到哪个新文件(0600)", "The new access file to write, with mode 0600");
pub const ACCESS_ADDRESS: Label = label(
    "写进访问文件的节点地址;可多次给出,默认本机监听地址",
    "Address of the node in the access file; may be repeated (default: where it listens)",
);
pub const ACCESS_ID: Label = label("令牌编号,见 heliu access list", "The token's id, as heliu access list shows it");
pub const ROTATE: Label = label("更换节点的 TLS 证书和密钥", "Make a new TLS certificate and key for a node");
pub const ROTATE_AFTER: Label = label(
    "示例:\n  heliu rotate --dir ./realm/county\n\n运行中的节点几秒内启用新证书,不用重启;节点身份(node.key)不变。平时会自动更换。",
    "Example:\n  heliu rotate --dir ./realm/county\n\nA running node takes the new certificate within seconds, without a restart; its identity (node.key) stays. It also renews by itself in time.",
);
pub const DOCTOR: Label = label(
    "检查节点的配置、密钥、证书、时钟、磁盘和链路",
    "Check a node's configuration, keys, certificate, clock, disk and links",
);
pub const DOCTOR_AFTER: Label = label(
    "示例:\n  heliu doctor --dir ./realm/county\n\n逐项说明,有问题的说怎么办;有一项不行则退出码为 1。",
    "Example:\n  heliu doctor --dir ./realm/county\n\nSays of each whether it is well, and what to do if not; the exit code is 1 if one is not.",
);
