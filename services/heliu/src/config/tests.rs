//! Configurations as people get them wrong, and what they are told.

use super::*;
use crate::text::Language;

const ROOT: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, Failure> {
    let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    Config::read(Path::new("/etc/heliu/heliu.toml"), text, &variable)
}

fn with_realm(text: &str) -> String {
    format!("{text}\n[realm]\nname = \"371726\"\nroot = \"{ROOT}\"\n")
}

fn complaints(text: &str) -> Vec<String> {
    let failure = read_with(text, &[]).expect_err("it is wrong");
    assert_eq!(failure.exit, Exit::Usage);
    failure.why.iter().map(|why| why.pick(Language::En).to_owned()).collect()
}

#[test]
fn a_short_file_gets_the_defaults_and_paths_beside_it() {
    let config = read_with(&with_realm(""), &[]).expect("it reads");
    assert_eq!(config.listen.to_string(), "127.0.0.1:7340");
    assert_eq!(config.data_dir, Path::new("/etc/heliu/data"));
    assert_eq!((config.parents.len(), config.quota_mib, config.log_json), (0, None, false));
    assert!(!config.plain, "without a word, a node is secured");
    assert_eq!(config.certificate_file, Path::new("/etc/heliu/tls.crt"));
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest_known_one() {
    assert_eq!(
        complaints(&with_realm("# a comment\nlisten = \"127.0.0.1:1\"\ndata_dri = \"x\"\nparents = []\n")),
        [
            "line 3: there is no setting data_dri; did you mean data_dir?",
            "line 4: there is no setting parents; did you mean links.parents?"
        ]
    );
    assert_eq!(complaints("[lnks]\nparents = []"), ["line 1: there is no setting lnks; did you mean links?"]);
}

#[test]
fn a_bad_value_is_told_with_its_line_and_what_is_expected() {
    let told = complaints(&with_realm(
        "listen = \"here\"\nshutdown_seconds = \"soon\"\n[log]\nformat = \"xml\"\n[links]\nparents = [\"10.0.0.1\"]\n[store]\ncache_kib = 1",
    ));
    assert_eq!(told.len(), 5, "{told:?}");
    for (line, expected) in [
        (1, "listen cannot be \"here\": it takes an IP address and a port"),
        (2, "shutdown_seconds cannot be \"soon\": it takes a whole number from 1 to 600"),
        (4, "log.format cannot be \"xml\": it takes one of: human, json"),
        (6, "links.parents cannot be [\"10.0.0.1\"]: it takes a list of addresses"),
        (8, "store.cache_kib cannot be 1: it takes a whole number from 64"),
    ] {
        let begin = format!("line {line}: {expected}");
        assert!(told.iter().any(|fault| fault.starts_with(&begin)), "{begin} in {told:?}");
    }
}

#[test]
fn the_store_is_chosen_by_its_kind_and_one_that_this_program_has_not_is_refused() {
    let file = with_realm("[store]\nkind = \"sqlite\"\nquota_mib = 64");
    let store = read_with(&file, &[]).expect("it reads").store();
    assert_eq!((store.kind, store.quota_mib, store.cache_kib), (store::Kind::Sqlite, Some(64), Some(2048)));
    assert_eq!(store.folder, Path::new("/etc/heliu/data"));
    assert_eq!(read_with(&with_realm(""), &[]).expect("it reads").store().kind, store::Kind::Sqlite);
    let told = complaints(&with_realm("[store]\nkind = \"memory\""));
    assert_eq!(told, ["line 2: store.kind cannot be \"memory\": it takes one of: sqlite"]);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let told = complaints("listen = \"127.0.0.1:1\"\nlisten 5\n");
    assert!(told[0].starts_with("line 2: not valid TOML"), "{told:?}");
}

#[test]
fn a_missing_setting_is_named() {
    assert_eq!(complaints(""), ["realm.name is missing", "realm.root is missing"]);
    let blank = [("HELIU_REALM_NAME", " "), ("HELIU_REALM_ROOT", "")];
    let failure = read_with("", &blank).expect_err("a blank variable is none");
    assert_eq!(failure.why.len(), 2, "{failure:?}");
}

#[test]
fn the_environment_overrides_and_is_checked_as_well() {
    let variables =
        [("HELIU_LISTEN", "127.0.0.1:9"), ("HELIU_LINKS_PARENTS", "a:1 b:2, c:3"), ("HELIU_STORE_QUOTA_MIB", "64")];
    let config = read_with(&with_realm(""), &variables).expect("it reads");
    assert_eq!((config.listen.port(), config.quota_mib), (9, Some(64)));
    assert_eq!(config.parents, [vec!["a:1", "b:2"], vec!["c:3"]]);
    let failure = read_with(&with_realm(""), &[("HELIU_LISTEN", "nowhere")]).expect_err("no address");
    assert!(failure.why[0].en.starts_with("the variable HELIU_LISTEN cannot be nowhere"), "{failure:?}");
}

#[test]
fn the_file_that_init_writes_reads_as_what_was_given() {
    let given = [
        ("listen", vec!["127.0.0.1:7341".to_owned()]),
        ("realm.name", vec!["鄄城\"县\"".to_owned()]),
        ("realm.root", vec![ROOT.to_owned()]),
        ("security.names", vec!["county.example".to_owned(), "::1".to_owned()]),
        ("links.parents", vec!["127.0.0.1:7340".to_owned()]),
    ];
    let file = template::write("a node\nof 鄄城县", &given);
    let config = read_with(&file, &[]).expect("it reads");
    assert_eq!((config.realm_name.as_str(), config.listen.port()), ("鄄城\"县\"", 7341));
    assert_eq!(config.parents, [["127.0.0.1:7340"]]);
    assert_eq!(config.names, ["county.example", "::1"]);
    // Taking the comment off a default changes nothing.
    let uncommented: String = file
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|l| l.contains(" = ")).unwrap_or(line))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(read_with(&uncommented, &[]).expect("it reads"), config);
}

#[test]
fn a_variable_with_a_slip_in_it_is_found() {
    let names = ["HELIU_LISTN", "HELIU_LISTEN", "HELIU_NODE", "PATH"].map(str::to_owned);
    assert_eq!(stray(names.into_iter()), [("HELIU_LISTN".to_owned(), Some("HELIU_LISTEN".to_owned()))]);
}

#[test]
fn addresses_are_a_host_and_a_port() {
    for good in ["127.0.0.1:1", "county.example:7340", "[::1]:7340"] {
        assert!(is_address(good), "{good}");
    }
    for bad in ["", "here", "::1:7340", "http://a:1", "a:0", "a:99999", ":1"] {
        assert!(!is_address(bad), "{bad}");
    }
}
