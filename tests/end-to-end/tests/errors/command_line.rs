//! What was typed is wrong, or there is nobody to ask.

use end_to_end::command_line::{command, heliu, heliu_in, run};
use end_to_end::realm::{Realm, free_address};
use end_to_end::seats::{code, region_file};

#[tokio::test]
async fn a_wrong_command_line_is_told_with_the_nearest_right_one() {
    let said = heliu(&["stauts"]).await.exits(2).complains("there is no command stauts");
    let _ = said.complains("did you mean status?").complains("heliu --help");
    let said = heliu(&["status", "--jsn"]).await.exits(2).complains("no argument --jsn");
    let _ = said.complains("did you mean --json? See heliu status --help");
    let _ = heliu(&["get"]).await.exits(2).complains("<ID> is missing");
    let nothing = heliu(&[]).await.exits(2);
    assert!(nothing.err.contains("Usage:") || nothing.out.contains("Usage:"), "{nothing:?}");
}

#[tokio::test]
async fn who_names_the_realm_where_a_node_is_wanted_is_told_where_the_node_is() {
    let realm = Realm::init(&["C"]).await;
    let whole = realm.folder().join("realm");
    let (dir, root) = (whole.to_str().expect("plain"), whole.join("root"));
    for verb in ["status", "node", "rotate"] {
        let _ = heliu(&[verb, "--dir", dir]).await.exits(2).complains(&realm.dir("C"));
    }
    let _ = heliu(&["doctor", "--dir", dir]).await.exits(1).answers(&realm.dir("C"));
    let issuer = ["root", "issuer", "--root-key", "escrow.key", "--new-issuer-key", "new.key"];
    let _ = heliu_in(&root, &issuer).await.exits(2).complains("a key of another sort");
    let listen = ["init", "--regions", "r", "--dir", "d", "--listen", "127.0.0.1"];
    let _ = heliu(&listen).await.exits(2).complains("0.0.0.0:7340");
}

#[tokio::test]
async fn it_speaks_the_language_of_the_reader() {
    let mut chinese = command(&["stauts"]);
    chinese.env("HELIU_LANG", "zh");
    let _ = run(chinese, &["stauts"]).await.exits(2).complains("没有命令 stauts").complains("是不是 status?");
    let _ = heliu(&["--lang", "zh", "--help"]).await.exits(0).answers("合流").answers("用法");
}

#[tokio::test]
async fn a_file_may_have_a_name_in_an_old_encoding() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a temporary directory");
    // 名 in GBK.
    let file = folder.path().join(std::ffi::OsStr::from_bytes(b"\xc3\xfb.csv"));
    std::fs::write(&file, "nmae\n甲\n").expect("it is ours");
    let mut import = command(&["import", "regions"]);
    import.arg(&file).args(["--node", "127.0.0.1:1"]);
    let _ = run(import, &["import", "regions", "..."]).await.exits(2).complains("no line is the heading code,name,parent_code");
}

#[tokio::test]
async fn the_exit_code_says_it_where_nobody_reads_the_complaint() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = command(&["stauts"]).stderr(writer).status().await.expect("the binary runs");
    assert_eq!(ended.code(), Some(2));
}

#[tokio::test]
async fn a_node_that_cannot_be_reached_is_told_with_what_to_check() {
    let address = free_address().to_string();
    for verb in ["status", "peers", "verify", "list"] {
        let said = heliu(&[verb, "--node", &address]).await.exits(3);
        let _ = said.complains(&format!("Cannot reach a node at {address}")).complains("what to do");
    }
    let json = heliu(&["status", "--json", "--node", &address]).await.exits(3).json();
    assert_eq!(json["error"]["code"], "unreachable");
    let _ = heliu(&["status", "--node", "nowhere"]).await.exits(2).complains("host:port");
    // Which commands there are, only a node can say.
    let said = heliu(&["do", "--help", "--node", &address]).await.exits(0).answers("--command-id");
    let _ = said.answers(&address).answers("heliu do --help --dir DIR");
    let said = heliu(&["do", "--help"]).await.exits(0).answers("no node is named").answers("--node ADDRESS");
    assert!(!said.out.contains("member.register  "), "{said:?}");
    let said = heliu(&["do", "member.register", "--explain", "--node", &address]).await.exits(3);
    let _ = said.complains("commands are told by the node").complains("what to do");
}

#[tokio::test]
async fn a_wrong_setting_is_told_with_its_line_and_the_nearest_known_one() {
    let realm = Realm::init(&["C"]).await;
    let file = realm.node_folder("C").join("heliu.toml");
    let text = std::fs::read_to_string(&file).expect("init wrote it");
    std::fs::write(&file, format!("data_dri = \"x\"\n{text}")).expect("it is ours");
    let shown = file.to_str().expect("plain");
    let said = heliu(&["node", "--config", shown]).await.exits(2).complains("line 1: there is no setting data_dri");
    let _ = said.complains("did you mean data_dir?");
}

#[tokio::test]
async fn a_variable_that_names_a_configuration_gives_way_to_a_directory_that_is_typed() {
    let nowhere = ["node", "--dir", "nowhere", "--log-json"];
    let mut node = command(&nowhere);
    node.env("HELIU_CONFIG", "/etc/heliu/heliu.toml");
    let said = run(node, &nowhere).await.exits(2).complains("cannot use nowhere/heliu.toml");
    assert_eq!(said.json()["error"]["code"], "file", "who reads the log as JSON reads the failure so as well");
}

#[tokio::test]
async fn a_realm_is_made_where_one_stands_and_its_nodes_have_addresses_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let regions = folder.path().join("regions.csv");
    std::fs::write(&regions, region_file(["C", "T1"])).expect("it is ours");
    let here = folder.path().join("here");
    std::fs::create_dir(&here).expect("it is ours");
    let (county, township) = (format!("{}=127.0.0.1:7340", code("C")), format!("{}=127.0.0.1:7340", code("T1")));
    let init = ["init", "--regions", "../regions.csv", "--dir", ".", "--node", &county];
    let said = heliu_in(&here, &[&init[..], &["--node", &township]].concat()).await.exits(2);
    let _ = said.complains("cannot both be at 127.0.0.1:7340");
    let _ = heliu_in(&here, &init).await.exits(0).answers("heliu node --dir");
    assert!(here.join("county/heliu.toml").exists());
    let _ = heliu_in(folder.path(), &["demo", "--dir", "here"]).await.exits(2).complains("is not empty");
    let _ = heliu_in(folder.path(), &["init", "--regions", "regions.csv", "--dir", "."])
        .await
        .exits(2)
        .complains("is not empty");
}

#[tokio::test]
async fn a_realm_is_never_overwritten() {
    let realm = Realm::init(&["C"]).await;
    let (regions, folder) = (realm.regions(), realm.folder().join("realm"));
    let (regions, folder) = (regions.to_str().expect("plain"), folder.to_str().expect("plain"));
    let said = heliu(&["init", "--regions", regions, "--dir", folder]).await.exits(4);
    let _ = said.complains("there is a realm in").complains("--dir");
}

#[tokio::test]
async fn what_a_rule_refuses_is_told_with_the_reason_and_ends_with_four() {
    let realm = Realm::init(&["C"]).await;
    let (_node, county) = realm.start("C").await;
    let dir = realm.dir("C");
    let committee = county.makes("org.create", &[("name", "县委")]).await;
    let branch = county.makes("org.create", &[("name", "机关支部"), ("parent_org", &committee)]).await;
    let parent = format!("parent_org={branch}");
    let said = heliu(&["do", "org.set_parent", &committee, &parent, "--dir", &dir]).await.exits(4);
    let _ = said.complains("is already under").complains("cannot be above each other").complains("what to do");
    let said = heliu(&["do", "org.create", "nmae=x", "--dir", &dir]).await.exits(2);
    let _ = said.complains("nmae");
    let slip = heliu(&["do", "--explain", "member.regster", "--dir", &dir]).await.exits(2);
    let _ = slip.complains("did you mean member.register?");
    let _ = heliu(&["list", "membr", "--dir", &dir]).await.exits(2).complains("did you mean member?");
    let said = heliu(&["conflicts", "list", "--kind", "multi_home", "--dir", &dir]).await.exits(2);
    let _ = said.complains("There is no kind").complains("MULTI_HOME");
    let unknown = "0".repeat(64);
    let _ = heliu(&["get", &unknown, "--dir", &dir]).await.exits(1).complains("holds no record");
}
