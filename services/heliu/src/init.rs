//! `heliu init`: from a region file to a realm whose county's node is ready to run.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use heliu_record::plain_text;
use heliu_record::seats::Seat;
use heliu_trust::id::RealmId;
use serde_json::json;

use crate::answer::{Done, print, print_json};
use crate::cli::InitArgs;
use crate::config::PORT;
use crate::failure::Failure;
use crate::layout::{CONFIG, COUNTY, ROOT};
use crate::node::can_listen;
use crate::realm::make::{Realm, Wanted, make};
use crate::realm::node_dir::seen_from_outside;
use crate::realm::regions;
use crate::render::seat_of;
use crate::text::{count, nearest, say, table::Table, tr};

/// Of more nodes only the first are listed.
const LISTED: usize = 20;
/// An address that is on no network: packets to it would leave by the usual way. None is sent.
const OUTSIDE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 9);

pub fn run(args: &InitArgs) -> Result<Done, Failure> {
    let bytes = regions::read(&args.regions)?;
    // Seat ids depend on the realm; codes and names do not.
    let seats = regions::parse(&args.regions, &RealmId([0; 16]), &bytes)?;
    let county = seats.first().map(|county| county.code.clone()).unwrap_or_default();
    let name = args.name.clone().unwrap_or(county);
    check_name(&name)?;
    wanted(args, &seats)?;
    let seats = |realm: &RealmId| regions::parse(&args.regions, realm, &bytes);
    let realm = make(&args.dir, &name, &args.time_zone, seats, |seats| wanted(args, seats))?;
    if args.json { print_json(&shape(args, &realm)) } else { print(&told(args, &realm)) }
}

fn check_name(name: &str) -> Result<(), Failure> {
    if (1..=80).contains(&name.chars().count()) && plain_text::normal(name).is_ok_and(|normal| normal == name) {
        return Ok(());
    }
    Err(Failure::usage(say!(
        "域的名称须为 1 到 80 个字符,两端无空白,无看不见的字符",
        "the realm's name must have 1 to 80 characters, no blanks at its ends, and none that show nothing"
    )))
}

/// Which nodes are to be made; the county's first, and by default alone.
fn wanted(args: &InitArgs, seats: &[Seat]) -> Result<Vec<Wanted>, Failure> {
    let Some(county) = seats.first() else { return Ok(Vec::new()) };
    if args.all_tiers {
        return in_a_row(args.port, seats);
    }
    let mut wanted: Vec<Wanted> = args.nodes.iter().map(|node| named(node, seats)).collect::<Result<_, _>>()?;
    // The county's own is the first, wherever it was named.
    match wanted.iter().position(|wanted| wanted.seat.id == county.id) {
        Some(at) => wanted[..=at].rotate_right(1),
        None => wanted.insert(0, county_node(args, county)?),
    }
    each_at_its_own(&wanted)?;
    Ok(wanted)
}

fn county_node(args: &InitArgs, county: &Seat) -> Result<Wanted, Failure> {
    let listen = args.listen.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], PORT)));
    if listen.port() == 0 {
        return Err(Failure::usage(say!("--listen 要有端口", "--listen needs a port")));
    }
    can_listen(listen)?;
    let addresses = if args.address.is_empty() {
        let seen = seen_from_outside(listen, OUTSIDE);
        seen.into_iter().collect()
    } else {
        args.address.clone()
    };
    if addresses.is_empty() {
        return Err(Failure::usage(say!(
            "看不出别的机器怎样连到本机",
            "it cannot be seen how other machines reach this one"
        ))
        .next(say!(
            "请用 --address 给出,如 --address county.example:{PORT}",
            "say it: --address county.example:{PORT}"
        )));
    }
    Ok(Wanted { seat: county.clone(), listen, addresses })
}

fn in_a_row(port: u16, seats: &[Seat]) -> Result<Vec<Wanted>, Failure> {
    let last = usize::from(port) + seats.len() - 1;
    if port == 0 || last > usize::from(u16::MAX) {
        let count = seats.len();
        return Err(Failure::usage(say!(
            "从端口 {port} 起放不下 {count} 个节点",
            "there are no {count} ports from {port} on"
        ))
        .next(say!("请用 --port 给出小一些的端口,如 {PORT}", "give a lower one with --port, such as {PORT}")));
    }
    let at = |(port, seat): (u16, &Seat)| {
        let listen = SocketAddr::from(([127, 0, 0, 1], port));
        Wanted { seat: seat.clone(), listen, addresses: vec![listen.to_string()] }
    };
    Ok((port..=u16::MAX).zip(seats).map(at).collect())
}

/// Only one node can listen at an address.
fn each_at_its_own(wanted: &[Wanted]) -> Result<(), Failure> {
    let mut taken: BTreeMap<SocketAddr, &Seat> = BTreeMap::new();
    for Wanted { seat, listen, .. } in wanted {
        if let Some(other) = taken.insert(*listen, seat) {
            let (one, two) = (&other.code, &seat.code);
            return Err(Failure::usage(say!(
                "{one} 和 {two} 的节点不能都用 {listen}",
                "the nodes of {one} and {two} cannot both be at {listen}"
            ))
            .next(say!("请给每个节点不同的端口", "give each node a port of its own")));
        }
    }
    Ok(())
}

/// `SEATCODE=ADDRESS`.
fn named(text: &str, seats: &[Seat]) -> Result<Wanted, Failure> {
    let wrong = || Failure::usage(say!("--node {text} 不能用", "cannot use --node {text}"));
    let form = say!(
        "写作 区划代码=地址,如 371726000000=127.0.0.1:7340",
        "write REGION-CODE=ADDRESS, such as 371726000000=127.0.0.1:7340"
    );
    let (code, address) = text.split_once('=').ok_or_else(|| wrong().next(form.clone()))?;
    let listen: SocketAddr = address.parse().map_err(|_| {
        wrong()
            .why(say!("“{address}”不是 IP 地址加端口", "{address:?} is not an IP address with a port"))
            .next(form.clone())
    })?;
    if listen.ip().is_unspecified() || listen.port() == 0 {
        return Err(wrong()
            .why(say!("一起做成的节点要有确定的地址", "nodes that are made together need definite addresses"))
            .next(form));
    }
    let Some(seat) = seats.iter().find(|seat| seat.code == code || seat.name == code) else {
        let near = nearest(code, seats.iter().map(|seat| seat.code.as_str()));
        let named = near.and_then(|near| seats.iter().find(|seat| seat.code == near));
        let failure = wrong().why(say!("区划文件里没有 {code}", "the region file has no {code}"));
        return Err(match named {
            Some(Seat { code, name, .. }) => {
                failure.next(say!("是不是 {code}({name})?", "did you mean {code} ({name})?"))
            }
            None => failure,
        });
    };
    Ok(Wanted { seat: seat.clone(), listen, addresses: vec![listen.to_string()] })
}

fn told(args: &InitArgs, realm: &Realm) -> String {
    let Some(county) = realm.nodes.first() else { return String::new() };
    let place = |name: &Path| args.dir.join(name).display().to_string();
    let (name, id) = (&realm.name, realm.directory.realm().short());
    let seats = count(realm.directory.seats().len() as u64);
    let time_zone = realm.directory.time_zone();
    let (dir, root, own) = (args.dir.display(), place(Path::new(ROOT)), place(Path::new(COUNTY)));
    let (node, listen, reached) = (county.node.short(), county.listen, county.addresses.join(", "));
    let mut text = tr!(
        "已在 {dir} 建立域 {name}({id}),{seats} 个席位,时区 {time_zone}。\n\n\
         {root}    离线密钥:root.key(根,可更换签发者)、escrow.key(密封数据的备用钥匙)。\n\
         {own}  县级节点 {node},监听 {listen},别的机器用 {reached} 连它。里面有:\n\
         \x20   heliu.toml     配置,每项都有说明\n\
         \x20   node.key       节点身份;sealing.key 读密封字段;issuer.key 签发(登记节点)。都不要外传\n\
         \x20   directory.bin  席位和节点的名录\n\
         \x20   access.json    访问令牌清单(只存散列);local.access 本机管理用的令牌\n",
        "Made realm {name} ({id}) in {dir}: {seats} seats, time zone {time_zone}.\n\n\
         {root}    offline keys: root.key (can replace the issuer), escrow.key (opens sealed data if all else is lost).\n\
         {own}  the county's node {node}. It listens on {listen}; other machines reach it at {reached}. In it:\n\
         \x20   heliu.toml     the configuration, each setting explained\n\
         \x20   node.key       its identity; sealing.key reads sealed fields; issuer.key enrols nodes. Give none of them away\n\
         \x20   directory.bin  the directory of seats and nodes\n\
         \x20   access.json    the access tokens, hashed; local.access: the token of whoever sits at this machine\n"
    );
    text.push_str(&others(args, realm));
    let below = realm.directory.seats().iter().filter(|seat| seat.parent == Some(county.seat.id));
    let below = below.map(|seat| seat.code.as_str()).min().unwrap_or(&county.seat.code);
    let starts = realm.nodes.iter().take(LISTED).map(|node| format!("  heliu node --dir {}\n", place(&node.folder)));
    let starts: String = starts.collect();
    text.push_str(&tr!(
        "\n请先把 {root} 拷到离线介质(至少两份),再从本机删除。\n\n\
         下一步,每个节点一个终端:\n{starts}然后:\n  heliu status --dir {own}\n\
         让另一台机器入域,在这里签发令牌,在那里用它:\n  heliu enroll {below} --dir {own}\n  heliu join 令牌\n",
        "\nFirst copy {root} to media that are kept offline, two at least, and remove it from this machine.\n\n\
         Next, each in a terminal of its own:\n{starts}Then:\n  heliu status --dir {own}\n\
         To let another machine in, make a token here and use it there:\n  heliu enroll {below} --dir {own}\n  heliu join TOKEN\n"
    ));
    text
}

/// Nodes that were made with the county's.
fn others(args: &InitArgs, realm: &Realm) -> String {
    let nodes = realm.nodes.get(1..).unwrap_or_default();
    if nodes.is_empty() {
        return String::new();
    }
    let headers = [
        tr!("席位", "seat"),
        tr!("名称", "name"),
        tr!("节点", "node"),
        tr!("地址", "address"),
        tr!("名录", "directory"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0, 2, 3, 4]);
    for node in nodes.iter().take(LISTED) {
        let folder = args.dir.join(&node.folder).display().to_string();
        table.row([node.seat.code.clone(), node.seat.name.clone(), node.node.short(), node.listen.to_string(), folder]);
    }
    let made = count(nodes.len() as u64);
    let mut text = tr!("\n一起做成的节点:{made} 个\n", "\nNodes that were made with it: {made}\n") + &table.print();
    if nodes.len() > LISTED {
        let more = nodes.len() - LISTED;
        text.push_str(&tr!("……另有 {more} 个\n", "... and {more} more\n"));
    }
    text
}

fn shape(args: &InitArgs, realm: &Realm) -> serde_json::Value {
    let nodes = realm.nodes.iter().map(|node| {
        let dir = args.dir.join(&node.folder);
        json!({
            "node": node.node.to_string(), "seat": seat_of(&node.seat), "address": node.listen.to_string(),
            "addresses": node.addresses, "dir": dir, "config": dir.join(CONFIG),
        })
    });
    json!({
        "realm": realm.directory.realm().to_string(), "name": realm.name, "time_zone": realm.directory.time_zone(),
        "root": realm.directory.root().to_string(),
        "dir": args.dir, "offline": args.dir.join(ROOT),
        "seats": realm.directory.seats().len(), "nodes": nodes.collect::<Vec<_>>(),
    })
}
