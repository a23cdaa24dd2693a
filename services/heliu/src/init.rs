//! `heliu init`: from a region file to a realm with its first nodes.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use heliu_record::seats::Seat;
use heliu_trust::id::RealmId;
use serde_json::json;

use crate::cli::{InitArgs, PORT};
use crate::failure::Failure;
use crate::links::seat_of;
use crate::out::{Done, print, print_json};
use crate::realm::description::{ISSUER_KEY, ROOT_KEY, Realm};
use crate::realm::make::{Made, Wanted, make};
use crate::realm::{CONFIG, regions};
use crate::text::{count, nearest, say, table::Table, tr};

/// Of more nodes only the first are listed.
const LISTED: usize = 20;

pub fn run(args: &InitArgs) -> Result<Done, Failure> {
    let bytes = regions::read(&args.regions)?;
    // Seat ids depend on the realm; codes and names do not.
    let seats = regions::parse(&args.regions, &RealmId([0; 16]), &bytes)?;
    let county = seats.first().map(|county| county.code.clone()).unwrap_or_default();
    let name = args.realm.clone().unwrap_or(county);
    check_name(&name)?;
    wanted(args, &seats)?;
    let seats = |realm: &RealmId| regions::parse(&args.regions, realm, &bytes);
    let (realm, nodes) = make(&args.dir, &name, seats, |seats| wanted(args, seats))?;
    if args.json { print_json(&shape(args, &realm, &nodes)) } else { print(&told(args, &realm, &nodes)) }
}

fn check_name(name: &str) -> Result<(), Failure> {
    if (1..=80).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Failure::usage(say!("域的名称须为 1 到 80 个字符", "the realm's name must have 1 to 80 characters")))
}

/// Which nodes are to be made; by default the county's alone.
fn wanted(args: &InitArgs, seats: &[Seat]) -> Result<Vec<Wanted>, Failure> {
    if !args.nodes.is_empty() {
        let wanted: Vec<Wanted> = args.nodes.iter().map(|node| named(node, seats)).collect::<Result<_, _>>()?;
        each_at_its_own(&wanted)?;
        return Ok(wanted);
    }
    let chosen = if args.all_tiers { seats } else { seats.get(..1).unwrap_or_default() };
    let last = usize::from(args.port) + chosen.len() - 1;
    if args.port == 0 || last > usize::from(u16::MAX) {
        let (first, count) = (args.port, chosen.len());
        return Err(Failure::usage(say!(
            "从端口 {first} 起放不下 {count} 个节点",
            "there are no {count} ports from {first} on"
        ))
        .next(say!("请用 --port 给出小一些的端口,如 {PORT}", "give a lower one with --port, such as {PORT}")));
    }
    let at =
        |(port, seat): (u16, &Seat)| Wanted { seat: seat.clone(), listen: SocketAddr::from(([127, 0, 0, 1], port)) };
    Ok((args.port..=u16::MAX).zip(chosen).map(at).collect())
}

/// Only one node can listen at an address.
fn each_at_its_own(wanted: &[Wanted]) -> Result<(), Failure> {
    let mut taken: BTreeMap<SocketAddr, &Seat> = BTreeMap::new();
    for Wanted { seat, listen } in wanted {
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
        wrong().why(say!("“{address}”不是 IP 地址加端口", "{address:?} is not an IP address with a port")).next(form)
    })?;
    if !listen.ip().is_loopback() || listen.port() == 0 {
        return Err(wrong()
            .why(say!("链路尚未加密,节点只监听本机地址", "links are not encrypted yet, so nodes listen on loopback addresses only"))
            .next(say!(
                "请用 127.0.0.1 和一个端口;跨机器走隧道(ssh、WireGuard),并相应改 links.parents",
                "use 127.0.0.1 and a port; between machines use a tunnel (ssh, WireGuard) and set links.parents to its end"
            )));
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
    Ok(Wanted { seat: seat.clone(), listen })
}

fn told(args: &InitArgs, realm: &Realm, nodes: &[Made]) -> String {
    let dir = args.dir.display();
    let (name, id, seats) = (&realm.name, realm.id().short(), count(realm.directory.seats().len() as u64));
    let made = count(nodes.len() as u64);
    let mut text = tr!(
        "已在 {dir} 建立域 {name}({id}):{seats} 个席位,{made} 个节点。\n\n",
        "Made realm {name} ({id}) in {dir}: {seats} seats, {made} node(s).\n\n"
    );
    let headers = [
        tr!("席位", "seat"),
        tr!("名称", "name"),
        tr!("节点", "node"),
        tr!("地址", "address"),
        tr!("目录", "directory"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0, 2, 3, 4]);
    for node in nodes.iter().take(LISTED) {
        let folder = args.dir.join(&node.folder).display().to_string();
        table.row([node.seat.code.clone(), node.seat.name.clone(), node.node.short(), node.listen.to_string(), folder]);
    }
    text.push_str(&table.print());
    if nodes.len() > LISTED {
        let more = nodes.len() - LISTED;
        text.push_str(&tr!("……另有 {more} 个,见 {dir}/nodes\n", "... and {more} more, see {dir}/nodes\n"));
    }
    let Some(first) = nodes.first() else { return text };
    let (key, address) = (args.dir.join(ISSUER_KEY), first.listen);
    let (key, root) = (key.display(), args.dir.join(ROOT_KEY));
    let root = root.display();
    let starts =
        nodes.iter().take(LISTED).map(|node| format!("  heliu node --dir {}\n", args.dir.join(&node.folder).display()));
    let starts: String = starts.collect();
    text.push_str(&tr!(
        "\n请把 {root} 移到离线介质保管,并离线备份 {key}。\n\n下一步,每个节点一个终端:\n{starts}然后:\n  heliu status --node {address}\n",
        "\nMove {root} to a medium that is kept offline, and keep a copy of {key} offline.\n\nNext, each in a terminal of its own:\n{starts}Then:\n  heliu status --node {address}\n"
    ));
    text
}

fn shape(args: &InitArgs, realm: &Realm, nodes: &[Made]) -> serde_json::Value {
    let node = |node: &Made| {
        let dir = args.dir.join(&node.folder);
        json!({
            "node": node.node.to_string(),
            "seat": seat_of(&node.seat),
            "address": node.listen.to_string(),
            "dir": dir, "config": dir.join(CONFIG),
        })
    };
    json!({
        "realm": realm.id().to_string(), "name": realm.name, "dir": args.dir,
        "seats": realm.directory.seats().len(), "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
    })
}
