//! A node's configuration: one TOML file, each setting of which the environment overrides. All faults of the file
//! are told at once, each with its line and what is expected; those of the environment when the file has none. What settings there are is in `settings`; writing a file is in `template`.

mod settings;
pub mod template;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heliu_disk::small_file::{self, BadFile};
use heliu_trust::id::{RealmId, realm_id};
use heliu_trust::signature::PublicKey;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::instead_of_realm;
use crate::store::{self, StoreAt};
use crate::text::{Say, nearest, say};
pub use settings::is_address;
use settings::{Form, SETTINGS, Setting, Value};

/// Where a node listens unless it is told otherwise.
pub const PORT: u16 = 7340;

/// Longer files are no configuration.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub file: PathBuf,
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub key_file: PathBuf,
    pub sealing_key_file: PathBuf,
    pub issuer_key_file: PathBuf,
    pub directory_file: PathBuf,
    pub shutdown: Duration,
    pub realm_name: String,
    pub root: PublicKey,
    /// Each is one node, with the addresses at which to try it.
    pub parents: Vec<Vec<String>>,
    pub peers: Vec<Vec<String>>,
    pub retry_max: Duration,
    pub store_kind: store::Kind,
    pub cache_kib: u32,
    pub quota_mib: Option<u64>,
    /// What authors outside of this seat's line may put here, and of whom nothing new is taken.
    pub foreign_max: u64,
    pub log_json: bool,
    /// Neither encryption nor tokens: for development, on loopback.
    pub plain: bool,
    pub certificate_file: PathBuf,
    pub certificate_key_file: PathBuf,
    pub access_file: PathBuf,
    pub names: Vec<String>,
}

impl Config {
    pub fn load(file: &Path) -> Result<Self, Failure> {
        let text = small_file::read_text(file, FILE_BYTES_MAX).map_err(|why| missing(file, &why))?;
        Config::read(file, &text, &|name| std::env::var(name).ok())
    }

    /// `variable` looks into the environment.
    pub fn read(file: &Path, text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let mut reading = Reading { text, values: BTreeMap::new(), faults: Vec::new() };
        match DeTable::parse(text) {
            Ok(table) => reading.read_table(None, table.get_ref()),
            Err(error) => {
                let (at, message) = (error.span().map_or(0, |span| span.start), error.message());
                reading.fault(at, say!("不是合格的 TOML:{message}", "not valid TOML: {message}"));
            }
        }
        if reading.faults.is_empty() {
            reading.override_by(variable);
        }
        reading.finish(file)
    }

    pub fn realm(&self) -> RealmId {
        realm_id(&self.root, &self.realm_name)
    }

    pub fn store(&self) -> StoreAt {
        let (cache_kib, quota_mib) = (Some(self.cache_kib), self.quota_mib);
        StoreAt { cache_kib, quota_mib, ..StoreAt::new(self.store_kind, &self.data_dir) }
    }
}

/// Variables that look like settings and are none, each with the nearest that is: a slip there would go unnoticed.
pub fn stray(names: impl Iterator<Item = String>) -> Vec<(String, Option<String>)> {
    const OTHERS: [&str; 6] =
        ["HELIU_ACCESS", "HELIU_CONFIG", "HELIU_JOIN_TOKEN", "HELIU_LANG", "HELIU_NODE", "HELIU_WHO"];
    let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
    let strange =
        |name: &String| name.starts_with("HELIU_") && !known.contains(name) && !OTHERS.contains(&name.as_str());
    let near = |name: String| {
        let near = nearest(&name, known.iter().map(String::as_str)).map(str::to_owned);
        (name, near)
    };
    names.filter(strange).map(near).collect()
}

fn missing(file: &Path, why: &BadFile) -> Failure {
    let failure = Failure::bad_file(file, why);
    if *why == BadFile::Missing {
        let failure = Failure { exit: Exit::Usage, ..failure };
        if let Some(instead) = file.parent().and_then(instead_of_realm) {
            return failure.next(instead);
        }
        return failure.next(say!(
            "用 --dir 指明节点的目录;heliu init 和 heliu join 会生成它",
            "name a node's directory with --dir; heliu init and heliu join make it"
        ));
    }
    failure
}

struct Reading<'t> {
    text: &'t str,
    values: BTreeMap<&'static str, Value>,
    /// By line; none for those of the environment.
    faults: Vec<(Option<usize>, Say)>,
}

impl Reading<'_> {
    fn fault(&mut self, at: usize, what: Say) {
        let before = self.text.get(..at).unwrap_or(self.text);
        self.faults.push((Some(before.matches('\n').count() + 1), what));
    }

    fn read_table(&mut self, table: Option<&str>, entries: &DeTable<'_>) {
        for (name, value) in entries {
            let key = table.map_or_else(|| name.get_ref().to_string(), |table| format!("{table}.{}", name.get_ref()));
            let is_table = table.is_none() && SETTINGS.iter().any(|s| s.table() == Some(key.as_str()));
            match (SETTINGS.iter().find(|s| s.key == key), value.get_ref()) {
                (None, DeValue::Table(inner)) if is_table => self.read_table(Some(&key), inner),
                (Some(setting), _) => self.read_value(setting, value),
                (None, _) => self.unknown(name.span().start, table, &key),
            }
        }
    }

    fn unknown(&mut self, at: usize, table: Option<&str>, key: &str) {
        let tables = SETTINGS.iter().filter_map(Setting::table);
        let known = SETTINGS.iter().map(|s| s.key).chain(tables.filter(|_| table.is_none()));
        // Somebody may have put a setting into the wrong table: then its own name says where it belongs.
        let bare = key.rsplit('.').next().unwrap_or(key);
        let moved = SETTINGS.iter().find(|s| s.name() == bare).map(|s| s.key);
        let near = moved
            .or_else(|| nearest(key, known))
            .map_or_else(Say::default, |near| say!(";是不是 {near}?", "; did you mean {near}?"));
        let what = say!("没有设置项 {key}", "there is no setting {key}");
        self.fault(at, Say { zh: what.zh + &near.zh, en: what.en + &near.en });
    }

    fn read_value(&mut self, setting: &'static Setting, value: &Spanned<DeValue<'_>>) {
        let read = match (setting.form, value.get_ref()) {
            (Form::Whole { .. }, DeValue::Integer(number)) if number.radix() == 10 => {
                setting.form.read(&number.as_str().replace('_', ""))
            }
            (Form::Nodes | Form::Names, DeValue::Array(items)) => {
                let texts: Option<Vec<&str>> = items.iter().map(|item| item.get_ref().as_str()).collect();
                texts.and_then(|texts| setting.form.read_list(texts.into_iter()))
            }
            (Form::Whole { .. } | Form::Nodes | Form::Names, _) => None,
            (form, DeValue::String(text)) => form.read(text),
            _ => None,
        };
        match read {
            Some(value) => {
                self.values.insert(setting.key, value);
            }
            None => {
                let found = self.text.get(value.span()).unwrap_or_default().chars().take(60).collect::<String>();
                let (key, expects) = (setting.key, setting.form.expects());
                let Say { zh, en } = expects;
                self.fault(
                    value.span().start,
                    say!("{key} 不能是 {found}:应为{zh}", "{key} cannot be {found}: it takes {en}"),
                );
            }
        }
    }

    fn override_by(&mut self, variable: &dyn Fn(&str) -> Option<String>) {
        // A blank variable is none.
        let variable = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        for setting in SETTINGS {
            let name = setting.variable();
            let Some(text) = variable(&name) else { continue };
            match setting.form.read(&text) {
                Some(value) => {
                    self.values.insert(setting.key, value);
                }
                None => {
                    let Say { zh, en } = setting.form.expects();
                    let what = say!(
                        "环境变量 {name} 不能是 {text}:应为{zh}",
                        "the variable {name} cannot be {text}: it takes {en}"
                    );
                    self.faults.push((None, what));
                }
            }
        }
        let absent =
            |s: &&Setting| s.default.is_none() && !self.values.contains_key(s.key) && variable(&s.variable()).is_none();
        let absent: Vec<&str> = SETTINGS.iter().filter(absent).map(|s| s.key).collect();
        self.faults.extend(absent.iter().map(|key| (None, say!("缺少 {key}", "{key} is missing"))));
    }

    fn finish(self, file: &Path) -> Result<Config, Failure> {
        if !self.faults.is_empty() {
            let path = file.display();
            let mut failure = Failure::new(
                Exit::Usage,
                "config",
                say!("配置文件 {path} 不能用", "cannot use the configuration {path}"),
            )
            .next(say!("改正后重试;heliu node --help 有说明", "correct it and try again; see heliu node --help"));
            failure.why = self.faults.into_iter().map(|(line, what)| told(line, what)).collect();
            return Err(failure);
        }
        let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
        let (text, whole, nodes) = (|key| self.text(key), |key| self.whole(key), |key| self.nodes(key));
        Ok(Config {
            file: file.to_owned(),
            // The form of every setting has been checked before.
            listen: text("listen").parse().unwrap_or(SocketAddr::from(([127, 0, 0, 1], PORT))),
            data_dir: folder.join(text("data_dir")),
            key_file: folder.join(text("key_file")),
            sealing_key_file: folder.join(text("sealing_key_file")),
            issuer_key_file: folder.join(text("issuer_key_file")),
            directory_file: folder.join(text("directory_file")),
            shutdown: Duration::from_secs(whole("shutdown_seconds")),
            realm_name: text("realm.name"),
            root: text("realm.root").parse().unwrap_or(PublicKey([0; 32])),
            parents: nodes("links.parents"),
            peers: nodes("links.peers"),
            retry_max: Duration::from_secs(whole("links.retry_seconds_max")),
            store_kind: store::Kind::called(&text("store.kind")).unwrap_or_default(),
            cache_kib: u32::try_from(whole("store.cache_kib")).unwrap_or(u32::MAX),
            quota_mib: Some(whole("store.quota_mib")).filter(|quota| *quota > 0),
            foreign_max: whole("foreign.leaves_max"),
            log_json: text("log.format") == "json",
            plain: text("security.mode") == "loopback-plain",
            certificate_file: folder.join(text("security.certificate_file")),
            certificate_key_file: folder.join(text("security.key_file")),
            access_file: folder.join(text("security.access_file")),
            names: nodes("security.names").concat(),
        })
    }

    fn value(&self, key: &str) -> Option<Value> {
        let default = || SETTINGS.iter().find(|s| s.key == key).and_then(|s| s.form.read(s.default?));
        self.values.get(key).cloned().or_else(default)
    }

    fn text(&self, key: &str) -> String {
        if let Some(Value::Text(text)) = self.value(key) { text } else { String::new() }
    }

    fn whole(&self, key: &str) -> u64 {
        if let Some(Value::Whole(number)) = self.value(key) { number } else { 0 }
    }

    fn nodes(&self, key: &str) -> Vec<Vec<String>> {
        let Some(Value::List(items)) = self.value(key) else { return Vec::new() };
        items.iter().map(|item| item.split_whitespace().map(str::to_owned).collect()).collect()
    }
}

fn told(line: Option<usize>, what: Say) -> Say {
    let Say { zh, en } = what;
    match line {
        Some(line) => say!("第 {line} 行:{zh}", "line {line}: {en}"),
        None => Say { zh, en },
    }
}

#[cfg(test)]
mod tests;
