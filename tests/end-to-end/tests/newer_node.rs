//! A node that knows a kind and commands which this build has never heard of: the built binary lists them, explains them, gives them
//! and shows what they make. The node here says what the story needs, over a real connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use end_to_end::command_line::{Said, command, heliu, run};
use heliu_api::records::records_service_server::{RecordsService, RecordsServiceServer};
use heliu_api::records::{
    Argument, Command, Derived, ExecuteEachRequest, ExecuteEachResponse, ExecuteRequest, ExecuteResponse, Field,
    GetRequest, GetResponse, GetSchemaRequest, GetSchemaResponse, HistoryRequest, HistoryResponse, Kind, Label,
    LedgerRequest, LedgerResponse, ListRequest, ListResponse, ListSeatsRequest, ListSeatsResponse, Outcome,
    QueryRequest, QueryResponse, Record, RecordState, RevealRequest, RevealResponse, Seat, State, ValueType, Word,
    outcome,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// Wells are dug by a later version.
#[derive(Clone, Default)]
struct NewerNode {
    asked: Arc<Mutex<Vec<ExecuteRequest>>>,
}

fn label(zh: &str, en: &str) -> Option<Label> {
    Some(Label { zh: zh.to_owned(), en: en.to_owned() })
}

fn word(name: &str, zh: &str, en: &str) -> Word {
    Word { name: name.to_owned(), label: label(zh, en) }
}

fn takes(name: &str, kind: &str, zh: &str, en: &str) -> Option<ValueType> {
    let (name, kind) = (name.to_owned(), kind.to_owned());
    Some(ValueType { name, kind, chars_max: 40, expects: label(zh, en), ..ValueType::default() })
}

fn schema() -> GetSchemaResponse {
    let field = |name: &str, zh: &str, en: &str| Field {
        name: name.to_owned(),
        label: label(zh, en),
        r#type: takes("text", "", "文字", "a text"),
        ..Field::default()
    };
    let state =
        |name: &str, zh: &str, en: &str| State { name: name.to_owned(), label: label(zh, en), ..State::default() };
    let states = vec![state("flowing", "出水", "flowing"), state("dry", "已干涸", "run dry")];
    let purity = ValueType {
        words: vec![word("sweet", "甜水", "sweet"), word("bitter", "苦水", "bitter")],
        ..takes("choice", "", "甜水或苦水", "sweet or bitter").unwrap_or_default()
    };
    let kind = Kind {
        name: "well".to_owned(),
        version: 1,
        label: label("水井", "well"),
        fields: vec![
            field("name", "名称", "name"),
            Field { states, ..field("flow", "水情", "flow") },
            Field { r#type: Some(purity), ..field("purity", "水质", "purity") },
            Field { sealed: true, ..field("keeper_phone", "看井人电话", "keeper's telephone") },
        ],
        derived: vec![Derived {
            path: "depth_class".to_owned(),
            label: label("深浅", "depth class"),
            ..Derived::default()
        }],
        ..Kind::default()
    };
    let argument = |name: &str, zh: &str, en: &str, r#type: Option<ValueType>| Argument {
        name: name.to_owned(),
        label: label(zh, en),
        help: label(zh, en),
        r#type,
        ..Argument::default()
    };
    let text = || takes("text", "", "文字,最多 40 字", "a text of up to 40 characters");
    let dig = Command {
        name: "well.dig".to_owned(),
        label: label("打井", "dig a well"),
        // Somebody else's text: it must not become lines of this program.
        help: label("新打一口井", "digs a new one\u{1b}[2J\nheliu: all is well"),
        arguments: vec![
            Argument { required: true, ..argument("name", "井名", "its name", text()) },
            argument("moon", "月相", "the phase of the moon", takes("moon", "", "如 上弦", "such as waxing")),
            argument("near", "邻井", "the next well", takes("record", "well", "水井的编号", "the id of a well")),
            Argument { sealed: true, ..argument("keeper_phone", "电话", "the keeper's telephone", text()) },
        ],
        ..Command::default()
    };
    let fill = Command {
        name: "well.fill".to_owned(),
        label: label("填井", "fill a well in"),
        takes_subject: true,
        subject_kind: "well".to_owned(),
        ..Command::default()
    };
    let make = Command {
        name: "well.enter".to_owned(),
        makes_named_by: "sort".to_owned(),
        takes_fields: true,
        arguments: vec![Argument { required: true, ..argument("sort", "种类", "the kind", text()) }],
        ..Command::default()
    };
    let suffixes = vec![word("_since", "(自)", " (since)")];
    GetSchemaResponse { kinds: vec![kind], commands: vec![dig, fill, make], suffixes, ..GetSchemaResponse::default() }
}

fn well() -> Record {
    let view = serde_json::json!({"name": "甲井", "flow": "dry", "flow_since": "2031-05-01", "purity": "sweet", "depth_class": "深"});
    let (code, name, id) = ("371726101000".to_owned(), "什集镇".to_owned(), "cd".repeat(16));
    Record {
        id: "ab".repeat(32),
        kind: "well".to_owned(),
        state: RecordState::Present.into(),
        owners: vec![Seat { id, code, name, tier: "township".to_owned(), ..Seat::default() }],
        view_json: view.to_string(),
        ..Record::default()
    }
}

#[tonic::async_trait]
impl RecordsService for NewerNode {
    async fn execute(&self, request: Request<ExecuteRequest>) -> Result<Response<ExecuteResponse>, Status> {
        let asked = request.into_inner();
        let command_id = asked.command_id.clone();
        self.asked.lock().expect("no panic").push(asked);
        Ok(Response::new(ExecuteResponse { command_id, created: vec!["ef".repeat(32)], ..ExecuteResponse::default() }))
    }

    async fn execute_each(
        &self,
        request: Request<ExecuteEachRequest>,
    ) -> Result<Response<ExecuteEachResponse>, Status> {
        let mut outcomes = Vec::new();
        for asked in request.into_inner().commands {
            let done = self.execute(Request::new(asked)).await?.into_inner();
            outcomes.push(Outcome { outcome: Some(outcome::Outcome::Done(done)) });
        }
        Ok(Response::new(ExecuteEachResponse { outcomes }))
    }

    async fn get(&self, _: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        Ok(Response::new(GetResponse { record: Some(well()), ..GetResponse::default() }))
    }

    async fn reveal(&self, _: Request<RevealRequest>) -> Result<Response<RevealResponse>, Status> {
        Ok(Response::new(RevealResponse::default()))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        match request.into_inner().kind.as_str() {
            "well" => Ok(Response::new(ListResponse { records: vec![well()], ..ListResponse::default() })),
            other => Err(Status::invalid_argument(format!("there are wells here, and no {other}"))),
        }
    }

    async fn ledger(&self, _: Request<LedgerRequest>) -> Result<Response<LedgerResponse>, Status> {
        Err(Status::unimplemented("it keeps none"))
    }

    async fn query(&self, request: Request<QueryRequest>) -> Result<Response<QueryResponse>, Status> {
        match request.into_inner().kind.as_str() {
            "well" => Ok(Response::new(QueryResponse { records: vec![well()], total: 1, ..QueryResponse::default() })),
            other => Err(Status::invalid_argument(format!("there are wells here, and no {other}"))),
        }
    }

    async fn history(&self, _: Request<HistoryRequest>) -> Result<Response<HistoryResponse>, Status> {
        Ok(Response::new(HistoryResponse::default()))
    }

    async fn get_schema(&self, _: Request<GetSchemaRequest>) -> Result<Response<GetSchemaResponse>, Status> {
        Ok(Response::new(schema()))
    }

    async fn list_seats(&self, _: Request<ListSeatsRequest>) -> Result<Response<ListSeatsResponse>, Status> {
        Ok(Response::new(ListSeatsResponse::default()))
    }
}

async fn serve(node: &NewerNode) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let service = RecordsServiceServer::new(node.clone());
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

async fn in_chinese(arguments: &[&str]) -> Said {
    let mut chinese = command(arguments);
    chinese.env("HELIU_LANG", "zh");
    run(chinese, arguments).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_nodes_kinds_and_commands_are_listed_explained_given_and_shown_in_both_languages() {
    let node = NewerNode::default();
    let address = serve(&node).await.to_string();
    let at = ["--node", address.as_str()];
    let line = |words: &[&'static str]| [words, &at[..]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let say = async |words: &[&'static str]| {
        let line = line(words);
        heliu(&line.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    let say_zh = async |words: &[&'static str]| {
        let line = line(words);
        in_chinese(&line.iter().map(String::as_str).collect::<Vec<_>>()).await
    };

    // Help has the node's commands and no others; what they are called is the node's text and moves no cursor.
    let said =
        say(&["do", "--help"]).await.exits(0).answers("well.dig").answers("dig a well: digs a new one\\u{1b}[2J\\n");
    assert!(!said.out.contains("member.register  ") && !said.out.contains('\u{1b}'), "{said:?}");
    let _ = say_zh(&["do", "--help"]).await.exits(0).answers("well.fill").answers("填井").answers("水井");

    // Arguments, also of a type that this build does not know.
    let said = say(&["do", "well.dig", "--explain"]).await.exits(0).answers("heliu do well.dig name=…");
    let said = said.answers("such as waxing").answers("the id of a well, or a name that only one has");
    assert!(!said.out.contains("\nheliu: all is well") && !said.out.contains('\u{1b}'), "{said:?}");
    let _ = say_zh(&["do", "--help", "well.fill"]).await.exits(0).answers("针对一条记录:水井");
    let json = say(&["do", "well.dig", "--explain", "--json"]).await.exits(0).json();
    assert_eq!((&json["label"]["zh"], json["arguments"].as_array().map(Vec::len)), (&"打井".into(), Some(4)), "{json}");
    let _ = say(&["do", "well.dgi", "--explain"]).await.exits(2).complains("did you mean well.dig?");

    // Given with its arguments, one by its Chinese name and one by the name of a record; what is sealed is warned of and not repeated.
    let dig = ["do", "well.dig", "井名=乙井", "moon=waxing", "near=甲井", "keeper_phone=13800001234", "--reason", "旱"];
    let said =
        say(&dig).await.exits(0).answers("well.dig is done and durable").complains("keeper_phone is to be sealed");
    assert!(!said.out.contains("1380000") && !said.err.contains("1380000"), "{said:?}");
    let _ = say_zh(&["do", "well.fill", "甲井", "--reason", "枯"]).await.exits(0).answers("“填井”已执行");
    let asked = node.asked.lock().expect("no panic").clone();
    let whole = "ab".repeat(32);
    let sent = [("name", "乙井"), ("moon", "waxing"), ("near", whole.as_str()), ("keeper_phone", "13800001234")];
    assert_eq!(asked[0].arguments, sent.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!((asked[1].command.as_str(), asked[1].subject.as_str()), ("well.fill", whole.as_str()));

    // Listed by what it is called, with a column for its state; shown with its words.
    let said = say(&["list", "well"]).await.exits(0).answers("flow").answers("run dry");
    assert!(!said.out.contains("lifecycle"), "{said:?}");
    let _ = say_zh(&["list", "水井"]).await.exits(0).answers("水情").answers("已干涸").answers("甲井");
    let _ = say(&["list", "wel"]).await.exits(2).complains("did you mean well?");
    let _ = say(&["get", "abababab"]).await.exits(0).answers("purity").answers("sweet").answers("depth class");
    let _ = say_zh(&["get", "abababab"]).await.exits(0).answers("水情(自)").answers("甜水").answers("深浅");

    // Rows of a file, with columns in the node's words; what is sealed is sent and told to nobody.
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let rows = "名称,水情,水质,看井人电话\n丙井,已干涸,甜水,13800001234\n丁井,flowing,bitter,\n";
    std::fs::write(file.path(), rows).expect("it is ours");
    let path = file.path().to_str().expect("temporary paths are plain");
    let import = async |kind: &str| in_chinese(&["import", kind, path, at[0], at[1]]).await;
    let said = import("水井").await.exits(0).answers("2 行");
    assert!(!said.out.contains("1380000") && !said.err.contains("1380000"), "{said:?}");
    let asked = node.asked.lock().expect("no panic").split_off(2);
    let sent =
        [("sort", "well"), ("name", "丙井"), ("flow", "dry"), ("purity", "sweet"), ("keeper_phone", "13800001234")];
    assert_eq!(asked[0].arguments, sent.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let _ = import("wells").await.exits(0);
    let again = node.asked.lock().expect("no panic").split_off(2);
    let ids = |asked: &[ExecuteRequest]| asked.iter().map(|request| request.command_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&asked), ids(&again), "the same rows are the same commands");
    std::fs::write(file.path(), rows.replace("已干涸", "冒烟")).expect("it is ours");
    let _ = import("well").await.exits(2).complains("第 2 行:水情:不能是“冒烟”,应为:以下之一:出水、已干涸");
    let _ = in_chinese(&["import", "well", at[0], at[1]]).await.exits(0).answers("看井人电话");

    // A shell that asks how a line may go on hears the node's kinds and commands.
    let complete = async |line: &[&'static str]| {
        let words = [&["--", "heliu"], line, &at[..]].concat();
        let mut shell = command(&words);
        let index = line.len().to_string();
        shell.envs([("COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", index.as_str()), ("_CLAP_IFS", "\n")]);
        run(shell, &words).await.exits(0)
    };
    let _ = complete(&["import", "w"]).await.answers("well");
    let _ = complete(&["list", "w"]).await.answers("well");
    let said = complete(&["do", "well.f"]).await.answers("well.fill");
    assert!(!said.out.contains("well.dig"), "{said:?}");
}
