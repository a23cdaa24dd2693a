//! `heliu access`, `heliu rotate`: the access tokens and the certificate of a node on this machine. Both are files that a
//! running node looks at every few seconds.

use std::path::{Path, PathBuf};

use heliu_catalogue::catalogue;
use heliu_client::{Access as AccessFile, Pinned};
use heliu_node::access::{self, Entry, Grant, Role, Token};
use heliu_record::reason::Reason;
use heliu_trust::id::NodeId;
use heliu_trust::signature::Signer as _;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Access, AccessAddArgs, AccessListArgs, AccessRevokeArgs, Local, RotateArgs};
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::CONFIG;
use crate::realm::node_dir::{access_failed, reachable};
use crate::realm::{exists, key_file};
use crate::text::table::Table;
use crate::text::{Say, clean, codes, labelled, nearest, reasons, say, time, tr};
use crate::{served, target};

/// The configuration of a node on this machine.
pub fn config_file(local: &Local) -> PathBuf {
    match (&local.config, &local.dir) {
        (Some(file), _) => file.clone(),
        (None, Some(dir)) => dir.join(CONFIG),
        (None, None) => target::usual_config().unwrap_or_else(|| PathBuf::from(CONFIG)),
    }
}

fn config(local: &Local) -> Result<Config, Failure> {
    Config::load(&config_file(local))
}

pub fn run(args: &Access) -> Result<Done, Failure> {
    match args {
        Access::Add(args) => add(args),
        Access::List(args) => list(args),
        Access::Revoke(args) => revoke(args),
    }
}

fn add(args: &AccessAddArgs) -> Result<Done, Failure> {
    let config = config(&args.local)?;
    let node = key_file::read(&config.key_file)?.node();
    let roles = roles(&args.roles)?;
    if args.out.exists() {
        return Err(in_the_way(&args.out, node));
    }
    let expires_ms = args.expires.map(|span| {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        time::now_ms().saturating_add(span)
    });
    let schema = served::schema();
    let grant = Grant {
        name: args.name.clone(),
        roles,
        seats: args.seats.clone(),
        kinds: args.kinds.iter().map(|kind| codes::kind_called(&schema, kind)).collect(),
        expires_ms,
    };
    let token = access::create(&config.access_file, grant, catalogue()).map_err(|error| access_failed(&error))?;
    let addresses =
        if args.address.is_empty() { vec![reachable(config.listen).to_string()] } else { args.address.clone() };
    let pinned = Some(Pinned { realm: config.realm(), node });
    let written = AccessFile { addresses, pinned, token: Some(token.to_string()) }.write_new(&args.out);
    if let Err(error) = written {
        // A token that nobody has is of no use.
        let _ = access::revoke(&config.access_file, &token.id);
        return Err(error.into());
    }
    if args.json {
        return print_json(&json!({"id": token.id, "file": args.out, "expires": expires_ms.and_then(time::utc)}));
    }
    let (id, out) = (&token.id, args.out.display());
    print(&tr!(
        "令牌 {id} 已写入 {out},几秒内生效。把这个文件经可靠渠道交给持有人,他这样用:\n  heliu status --access {out}\n",
        "Token {id} is in {out} and takes effect within seconds. Hand the file over on a way that you trust; it is used so:\n  heliu status --access {out}\n"
    ))
}

/// A file that is there is not written over: the token in it would stay good, with nobody to know of it.
fn in_the_way(out: &Path, node: NodeId) -> Failure {
    let failure = exists(out);
    let Ok(old) = AccessFile::read(out) else { return failure };
    if old.pinned.is_some_and(|old| old.node != node) {
        return failure.why(say!("它是另一个节点的访问文件", "it is the access file of another node"));
    }
    let Some(id) = old.token.and_then(|token| token.parse::<Token>().ok()).map(|token| token.id) else {
        return failure;
    };
    let out = out.display();
    failure.why(say!("里面的令牌 {id} 仍然有效", "the token in it, {id}, stays good")).next(say!(
        "要换掉它:heliu access revoke {id},移走 {out},再运行一次;否则换一个文件名",
        "to replace it: heliu access revoke {id}, move {out} away, and run this again; else name another file"
    ))
}

/// `all` is every role.
fn roles(named: &[String]) -> Result<Vec<Role>, Failure> {
    let mut roles = Vec::new();
    for name in named {
        match Role::ALL.into_iter().find(|role| role.name() == name || role.label().zh == name) {
            Some(role) => roles.push(role),
            None if name == "all" => roles.extend(Role::ALL),
            None => {
                let names = Role::ALL.map(Role::name);
                let choices = names.join(", ");
                let failure = Failure::usage(say!("没有角色 {name}", "there is no role {name}"))
                    .why(say!("可选:{choices},或 all", "one of: {choices}, or all"));
                return Err(match nearest(name, names) {
                    Some(near) => failure.next(say!("是不是 {near}?", "did you mean {near}?")),
                    None => failure,
                });
            }
        }
    }
    roles.sort();
    roles.dedup();
    Ok(roles)
}

fn list(args: &AccessListArgs) -> Result<Done, Failure> {
    let entries = access::list(&config(&args.local)?.access_file).map_err(|error| access_failed(&error))?;
    if args.json {
        return print_json(&json!({"tokens": entries.iter().map(shape).collect::<Vec<_>>()}));
    }
    let headers = [
        tr!("编号", "id"),
        tr!("持有人", "name"),
        tr!("角色", "roles"),
        tr!("席位", "seats"),
        tr!("种类", "kinds"),
        tr!("生成于", "made"),
        tr!("有效至", "expires"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0]);
    let schema = served::schema();
    for entry in &entries {
        table.row([
            entry.id.clone(),
            entry.name.clone(),
            entry.roles.iter().map(|role| labelled(role.label())).collect::<Vec<_>>().join(" "),
            entry.seats.join(" "),
            entry.kinds.iter().map(|kind| codes::kind(&schema, kind)).collect::<Vec<_>>().join(" "),
            time::local(entry.created_ms),
            entry
                .expires_ms
                .map(|ms| if ms <= time::now_ms() { tr!("已过期", "expired") } else { time::local(ms) })
                .unwrap_or_default(),
        ]);
    }
    print(&table.print())
}

fn revoke(args: &AccessRevokeArgs) -> Result<Done, Failure> {
    let entry = access::revoke(&config(&args.local)?.access_file, &args.id).map_err(|error| access_failed(&error))?;
    if args.json {
        return print_json(&json!({"revoked": shape(&entry)}));
    }
    let (id, name) = (&entry.id, clean(&entry.name));
    print(&tr!(
        "令牌 {id}({name})已撤销,几秒内生效。\n",
        "Token {id} ({name}) is revoked; it takes effect within seconds.\n"
    ))
}

fn role_names(entry: &Entry) -> Vec<&'static str> {
    entry.roles.iter().map(|role| role.name()).collect()
}

fn shape(entry: &Entry) -> Value {
    json!({
        "id": entry.id, "name": entry.name, "roles": role_names(entry), "seats": entry.seats, "kinds": entry.kinds,
        "created": time::utc(entry.created_ms), "expires": entry.expires_ms.and_then(time::utc),
    })
}

pub fn rotate(args: &RotateArgs) -> Result<Done, Failure> {
    let config = config(&args.local)?;
    if config.plain {
        return Err(Failure::usage(say!("开发模式的节点没有证书", "a node in development mode has no certificate")));
    }
    let failed = |why: Say| {
        Failure::new(Exit::Failed, "certificate", say!("证书没有换成", "the certificate was not changed")).why(why)
    };
    let key = key_file::read(&config.key_file)?;
    let pair = heliu_tls::make(&key, config.realm(), &config.names, time::now_ms());
    let pair = pair.map_err(|_| failed(reasons::words(&Reason::new("certificate.not-made"))))?;
    let (certificate, secret) = (&config.certificate_file, &config.certificate_key_file);
    pair.write(certificate, secret).map_err(|error| Failure::file(certificate, &error))?;
    let made = heliu_tls::Identity::read(certificate, secret, config.realm(), key.node());
    let until = made.map_err(|error| failed(reasons::words(&error.reason())))?.until_ms;
    if args.json {
        return print_json(&json!({"certificate": certificate, "key": secret, "not_after": time::utc(until)}));
    }
    let (file, until) = (certificate.display(), time::local(until));
    print(&tr!(
        "新证书在 {file},到 {until} 有效。运行中的节点几秒内启用,已有的连接不断。\n",
        "The new certificate is in {file}, valid until {until}. A running node takes it within seconds; connections stay.\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_once_and_a_slip_is_told() {
        let named = |names: &[&str]| roles(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(named(&["write", "read", "read"]).expect("they are roles"), [Role::Read, Role::Write]);
        assert_eq!(named(&["all"]).expect("they are roles").len(), Role::ALL.len());
        let failure = named(&["raed"]).expect_err("it is none");
        assert!(failure.next.is_some_and(|next| next.en.contains("read")));
    }
}
