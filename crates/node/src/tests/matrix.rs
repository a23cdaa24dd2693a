//! Every call that proto/ declares, with every kind of token: what is let in, and what of it is shown. The rules are the
//! table of `access::table`, and the guide (`deploy/access.md`) has what came out here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use heliu_api::status::{CallRefusal, decode_status};
use heliu_api::{administration as adm, operations as ops, records as rec};
use heliu_record::id::{LeafHash, RecordId, to_hex};
use heliu_storage::{QuarantineRow, Store, StrandedRow, StrandedState, Transaction};
use heliu_trust::directory::Item;
use heliu_trust::signature::Signer as _;
use prost::Message;
use prost::bytes::{Buf as _, BufMut as _};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::world::{
    COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, key, made, memory, request, sealing, secured, until,
};
use crate::access::table::{Need, Scope, rule};
use crate::access::{Grant, Role, revoke};
use crate::clock::wall_ms;

/// In every name of what is not for everybody.
const SECRET: &str = "机要";
/// For whom tokens are, at a township's node, and the records are the village's: as the guide calls them, with their seats.
const SEATS: [(&str, &[&str]); 5] = [
    ("all seats", &[]),
    ("a superior", &[COUNTY]),
    ("the node's seat", &[TOWNSHIP]),
    ("the record's seat", &[VILLAGE]),
    ("another seat", &[OTHER_VILLAGE]),
];

/// Bytes as they are: what is in an answer is looked for, whatever its fields are called.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}

/// Calls any method by its path, as a stranger's program would.
pub(super) struct Caller(Channel);

impl Caller {
    pub async fn of(seats: &County, place: &Place) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", place.address())).expect("an address");
        Caller(secured(seats, None, &endpoint, place.address()).await.expect("it listens"))
    }

    pub async fn call(&self, path: &str, token: Option<&str>, message: Vec<u8>) -> Result<Vec<u8>, Status> {
        let mut client = tonic::client::Grpc::new(self.0.clone());
        client.ready().await.expect("it is connected");
        let mut asked = Request::new(message);
        if let Some(token) = token {
            asked.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("letters"));
        }
        let path: PathAndQuery = path.parse().expect("a path");
        client.unary(asked, path, Raw).await.map(tonic::Response::into_inner)
    }
}

/// What is at the township's node, and is the village's.
struct Stage {
    township: Place,
    _village: Place,
    member: String,
    conflict: String,
    erased: String,
    /// One for each kind of token, since they go.
    erasable: Vec<RecordId>,
    quarantined: Vec<[u8; 32]>,
    stranded: Vec<LeafHash>,
}

impl Stage {
    async fn set(seats: &County) -> Self {
        let store: Arc<dyn Store> = memory(TOWNSHIP);
        let township = Place::start(seats.options(TOWNSHIP, &[]), Arc::clone(&store)).await;
        let member = async |name: &str| {
            // An organisation is public: who may not see what is the village's sees that.
            let branch = [("name", "村支部".to_owned()), ("seat", VILLAGE.to_owned())];
            let branch = branch.each_ref().map(|(name, value)| (*name, value.as_str()));
            let done = township.node.execute(request("org.create", None, &branch)).await.expect("a superior may");
            let branch = made(&done).to_string();
            let of = [("name", name), ("branch", branch.as_str()), ("contact", "139-0530-7777")];
            let done = township.node.execute(request("member.register", None, &of)).await.expect("it may");
            (made(&done), branch)
        };
        let (person, branch) = member(&format!("{SECRET}党员")).await;
        let mut erasable = Vec::new();
        for _ in SEATS {
            erasable.push(member("甲").await.0);
        }
        let erased = member("乙").await.0;
        let by = || crate::status::Actor { who: "test".to_owned(), role: String::new() };
        township.node.erase(erased, by(), String::new()).await.expect("a superior may");
        // Somebody has another node enrolled for the village: that is an alarm there and above.
        let directory = township.node.directory();
        let seat = directory.seats().by_code(VILLAGE).expect("a seat").id;
        let second = Item::enrol(&*key("second"), seat, sealing("second").public(), Vec::new());
        let entry = directory.draft(vec![second], wall_ms(), &[&*key("issuer")]).expect("an entry");
        township.node.append(vec![entry], by(), String::new()).await.expect("the issuer signed it");
        let ended: RecordId = branch.parse().expect("an id");
        township
            .node
            .execute(request("org.dissolve", Some(ended), &[("effective_on", "2020-01-01")]))
            .await
            .expect("it may");
        let conflicts = store.conflicts_of(&[person]).await.expect("it reads");
        let store = township.stop().await;
        // What only hostile and fenced nodes bring about.
        let id = |n: usize, what: u8| std::array::from_fn(|i| if i == 0 { what } else { u8::try_from(n).unwrap_or(0) });
        let count = 2 * SEATS.len() + 1;
        let quarantined: Vec<[u8; 32]> = (0..count).map(|n| id(n, 0xaa)).collect();
        let stranded: Vec<LeafHash> = (0..count).map(|n| LeafHash(id(n, 0xbb))).collect();
        let rows = Transaction {
            quarantined: quarantined
                .iter()
                .map(|id| QuarantineRow {
                    id: *id,
                    record: Some(person),
                    from: Some(key(VILLAGE).node()),
                    code: "junk".to_owned(),
                    reason: String::new(),
                    at_ms: 0,
                    bytes: SECRET.as_bytes().to_vec(),
                })
                .collect(),
            stranded: stranded
                .iter()
                .map(|leaf| StrandedRow {
                    leaf: *leaf,
                    record: person,
                    at_ms: 0,
                    state: StrandedState::Open,
                    reason: SECRET.to_owned(),
                })
                .collect(),
            ..Transaction::default()
        };
        store.apply(&rows).await.expect("it is taken");
        let township = Place::start(seats.options(TOWNSHIP, &[]), store).await;
        let village = seats.start(VILLAGE, &[township.address()]).await;
        village.is_live().await;
        Stage {
            township,
            _village: village,
            member: person.to_string(),
            conflict: to_hex(&conflicts.first().expect("the home has ended").id),
            erased: erased.to_string(),
            erasable,
            quarantined,
            stranded,
        }
    }

    /// What is asked in a method for the `n`th kind of token, and what a full answer has in it; empty if any answer will do.
    fn about(&self, path: &str, n: usize) -> (Vec<u8>, Vec<u8>) {
        let id = self.member.clone();
        let has = |text: &str| text.as_bytes().to_vec();
        let village = has(&key(VILLAGE).node().to_string());
        let method = path.rsplit('/').next().unwrap_or_default();
        let junk = |at: usize| to_hex(&self.quarantined[at]);
        let edit = |at: usize| self.stranded[at].to_string();
        let each = SEATS.len();
        match method {
            "Execute" => {
                let arguments = [("field", "name"), ("value", "机要党员")];
                let arguments =
                    arguments.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
                let command = "record.set".to_owned();
                let asked = rec::ExecuteRequest { command, subject: id.clone(), arguments, ..Default::default() };
                (asked.encode_to_vec(), has(&id))
            }
            "ExecuteEach" => {
                let (one, sees) = self.about("RecordsService/Execute", n);
                let one = rec::ExecuteRequest::decode(&*one).expect("it was encoded");
                (rec::ExecuteEachRequest { commands: vec![one] }.encode_to_vec(), sees)
            }
            "Get" => (rec::GetRequest { id, ..Default::default() }.encode_to_vec(), has(SECRET)),
            "Reveal" => (rec::RevealRequest { id, ..Default::default() }.encode_to_vec(), has("contact")),
            "List" => (rec::ListRequest::default().encode_to_vec(), has(SECRET)),
            "Query" => (rec::QueryRequest::default().encode_to_vec(), has(SECRET)),
            "Ledger" => {
                let name = "inbox".to_owned();
                (rec::LedgerRequest { name, ..Default::default() }.encode_to_vec(), has(SECRET))
            }
            "History" => (rec::HistoryRequest { id, ..Default::default() }.encode_to_vec(), has(SECRET)),
            "GetSchema" => (Vec::new(), has("member")),
            "ListSeats" | "ListDirectory" => (Vec::new(), has(VILLAGE)),
            "GetStatus" => (Vec::new(), has(&self.township.node.node().to_string())),
            "ListLinks" | "Verify" | "ListNodes" => (Vec::new(), village),
            "ListConflicts" => (Vec::new(), has(SECRET)),
            "GetConflict" => (
                ops::GetConflictRequest { id: self.conflict.clone(), ..Default::default() }.encode_to_vec(),
                has(SECRET),
            ),
            "ListQuarantine" => (Vec::new(), has(&id)),
            "GetQuarantined" => (ops::GetQuarantinedRequest { id: junk(2 * each) }.encode_to_vec(), has(SECRET)),
            "Requeue" => (ops::RequeueRequest { id: junk(n), ..Default::default() }.encode_to_vec(), Vec::new()),
            "Drop" => (ops::DropRequest { id: junk(each + n), ..Default::default() }.encode_to_vec(), Vec::new()),
            "ListStranded" => (Vec::new(), has(SECRET)),
            "Reissue" => (ops::ReissueRequest { edit: edit(n), ..Default::default() }.encode_to_vec(), Vec::new()),
            "Discard" => {
                (ops::DiscardRequest { edit: edit(each + n), ..Default::default() }.encode_to_vec(), Vec::new())
            }
            // All that this node may hear of is of its line: what is asked is whether the token may.
            "ListForeign" => (Vec::new(), Vec::new()),
            "Decline" => {
                let seat = VILLAGE.to_owned();
                (ops::DeclineRequest { seat, ..Default::default() }.encode_to_vec(), Vec::new())
            }
            "Accept" => {
                let seat = VILLAGE.to_owned();
                (ops::AcceptRequest { seat, ..Default::default() }.encode_to_vec(), Vec::new())
            }
            "ListAlarms" => (Vec::new(), has("second_node")),
            "MintToken" => {
                (adm::MintTokenRequest { seat: VILLAGE.to_owned(), ..Default::default() }.encode_to_vec(), Vec::new())
            }
            // Not by this node, which is not the issuer: what is asked is whether the token may.
            "Propose" => {
                let change = Some(adm::propose_request::Change::TwoSignatures(true));
                (adm::ProposeRequest { change, reason: String::new() }.encode_to_vec(), Vec::new())
            }
            "Append" => (Vec::new(), Vec::new()),
            "Erase" => {
                let record = self.erasable[n].to_string();
                (adm::EraseRequest { record: record.clone(), ..Default::default() }.encode_to_vec(), has(&record))
            }
            "GetReceipt" => (adm::GetReceiptRequest { record: self.erased.clone() }.encode_to_vec(), has(&self.erased)),
            "ListAudit" => (Vec::new(), has(&id)),
            "VerifyAudit" | "Join" | "Link" => (Vec::new(), Vec::new()),
            other => panic!("say what is asked in {other}, and what only those may see who may see it"),
        }
    }
}

/// What came of a call, or should.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Came {
    /// Refused before it was looked at, with this reason.
    Refused(String),
    Shown,
    /// As if it were not there.
    Hidden,
}

fn came(answer: &Result<Vec<u8>, Status>, mark: &[u8]) -> Came {
    let holds = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    match answer {
        Ok(bytes) if mark.is_empty() || holds(bytes, mark) => Came::Shown,
        Ok(bytes) => {
            assert!(!holds(bytes, SECRET.as_bytes()), "a part of what is not shown");
            Came::Hidden
        }
        Err(status) => {
            assert!(!holds(status.details(), SECRET.as_bytes()), "{status:?}");
            match CallRefusal::of(status).map(|refusal| refusal.reason).unwrap_or_default().as_str() {
                "not_here" => Came::Hidden,
                reason @ ("no_token" | "bad_token" | "expired_token" | "missing_role" | "out_of_scope") => {
                    Came::Refused(reason.to_owned())
                }
                _ if mark.is_empty() => Came::Shown,
                other => panic!("{other}: {status:?}"),
            }
        }
    }
}

/// Of a call with many commands in it, of which this test gives one: what came of that one.
fn the_one(path: &str, answer: Result<Vec<u8>, Status>) -> Result<Vec<u8>, Status> {
    if !path.ends_with("/ExecuteEach") {
        return answer;
    }
    let mut outcomes = rec::ExecuteEachResponse::decode(&*answer?).expect("an answer").outcomes;
    match outcomes.pop().and_then(|one| one.outcome).expect("one outcome") {
        rec::outcome::Outcome::Done(done) => Ok(done.encode_to_vec()),
        rec::outcome::Outcome::Refused(status) => Err(decode_status(&status).expect("a status")),
    }
}

/// What the table says.
fn due(path: &str, role: Role, seats: &[&str]) -> Came {
    let rule = rule(path).unwrap_or_else(|| panic!("{path} has no rule: say what it needs, and how far it reaches"));
    let has_role = match rule.need {
        Need::Role(needed) => role == needed,
        Need::Either(one, other) => role == one || role == other,
        Need::Open | Need::Node | Need::Token | Need::JoinToken => true,
    };
    if !has_role {
        return Came::Refused("missing_role".to_owned());
    }
    let (above, own) = (seats.is_empty() || seats == [COUNTY], seats == [TOWNSHIP]);
    match rule.scope {
        Scope::Node if !above && !own => Came::Refused("out_of_scope".to_owned()),
        Scope::County if !above => Came::Refused("out_of_scope".to_owned()),
        // Seats are public: that a token is not for one need not be hidden.
        Scope::Seats if seats == [OTHER_VILLAGE] && path.ends_with("/MintToken") => {
            Came::Refused("out_of_scope".to_owned())
        }
        // Which node it is is for everybody: see below for the rest.
        Scope::Seats if path.ends_with("/GetStatus") => Came::Shown,
        Scope::Records | Scope::Seats if seats == [OTHER_VILLAGE] => Came::Hidden,
        _ => Came::Shown,
    }
}

fn needs(need: Need) -> String {
    match need {
        Need::Open => "nothing".to_owned(),
        Need::Node => "a node's certificate".to_owned(),
        Need::Token => "any token".to_owned(),
        Need::JoinToken => "a join token".to_owned(),
        Need::Role(role) => role.name().to_owned(),
        Need::Either(one, other) => format!("{} or {}", one.name(), other.name()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_shows_each_kind_of_token_what_its_rule_says_and_no_more() {
    let seats = County::new();
    let stage = Stage::set(&seats).await;
    let address = stage.township.address();
    let grant = |roles: &[Role], codes: &[&str], expires_ms| Grant {
        name: "clerk".to_owned(),
        roles: roles.to_vec(),
        seats: codes.iter().map(|code| (*code).to_owned()).collect(),
        expires_ms,
        ..Grant::default()
    };
    let token = |grant| seats.token(TOWNSHIP, address, grant).0;
    let expired = token(grant(&Role::ALL, &[], Some(1))).to_string();
    let revoked = token(grant(&Role::ALL, &[], None));
    revoke(&seats.files(TOWNSHIP).access, &revoked.id).expect("it is there");
    let revoked = revoked.to_string();
    let mut tokens: Vec<(Role, usize, String)> = Vec::new();
    for role in Role::ALL {
        for (n, (_, codes)) in SEATS.iter().enumerate() {
            tokens.push((role, n, token(grant(&[role], codes, None)).to_string()));
        }
    }
    let caller = Caller::of(&seats, &stage.township).await;
    let newest = tokens.last().map(|(.., token)| token.clone());
    let schema = "/heliu.records.v1.RecordsService/GetSchema";
    until("the tokens are known", async || caller.call(schema, newest.as_deref(), Vec::new()).await.is_ok()).await;

    let mut rows: BTreeMap<&str, String> = BTreeMap::new();
    for path in heliu_api::METHODS.iter().chain(heliu_wire::METHODS) {
        let Some(rule) = rule(path) else { panic!("{path} has no rule: say what it needs, and how far it reaches") };
        let doors = &stage.township.node.0.secured.as_ref().expect("it is secured").doors;
        doors.attempts.forget();
        let goes_without = matches!(rule.need, Need::Open | Need::Node | Need::JoinToken);
        for (token, reason) in [(None, "no_token"), (Some(&expired), "expired_token"), (Some(&revoked), "bad_token")] {
            let (asked, mark) = stage.about(path, 0);
            let answer = caller.call(path, token.map(String::as_str), asked).await;
            if goes_without {
                assert!(answer.is_err(), "{path}: whoever asks is neither a node nor one that wants to be");
            } else {
                assert_eq!(came(&answer, &mark), Came::Refused(reason.to_owned()), "{path} with {reason}");
            }
        }
        let mut cells: Vec<String> = vec![String::new(); SEATS.len()];
        for (role, n, token) in tokens.iter().filter(|_| !goes_without) {
            let (whose, codes) = SEATS[*n];
            let (asked, mark) = stage.about(path, *n);
            let answer = the_one(path, caller.call(path, Some(token), asked).await);
            let came = came(&answer, &mark);
            assert_eq!(came, due(path, *role, codes), "{path} with {role:?} of {whose}: {answer:?}");
            let is_part = path.ends_with("/GetStatus")
                && answer.as_deref().is_ok_and(|bytes| ops::GetStatusResponse::decode(bytes).is_ok_and(|s| s.in_part));
            let cell = match came {
                Came::Shown if is_part => "in part",
                Came::Shown => "yes",
                Came::Hidden => "nothing",
                Came::Refused(reason) if reason == "missing_role" => continue,
                Came::Refused(_) => "refused",
            };
            assert!(cells[*n].is_empty() || cells[*n] == cell, "{path}: one rule for all that have the role");
            cell.clone_into(&mut cells[*n]);
        }
        let cells =
            if goes_without { "| - ".repeat(SEATS.len()) } else { cells.iter().map(|c| format!("| {c} ")).collect() };
        rows.insert(path, format!("| {} | {} {cells}|", path.trim_start_matches("/heliu."), needs(rule.need)));
    }
    let mut table = String::from("| call | needs ");
    for (whose, _) in SEATS {
        let _ = write!(table, "| for {whose} ");
    }
    table += &format!("|\n|{}\n", "---|".repeat(SEATS.len() + 2));
    table.extend(rows.values().map(|row| format!("{row}\n")));
    // Also of a test that passes.
    let _ = writeln!(std::io::stdout().lock(), "\n{table}");
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/access.md");
    let guide = std::fs::read_to_string(guide).expect("the guide is there");
    assert!(guide.contains(&table), "deploy/access.md has another table: put in the one above");
}

/// The rest of what is about a node as a whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_for_one_seat_does_not_say_how_much_the_node_holds() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    township.found("镇党委").await;
    let status = async |code: &str| {
        let grant = Grant { roles: vec![Role::Operate], seats: vec![code.to_owned()], ..Grant::default() };
        let token = seats.token(TOWNSHIP, township.address(), grant).0.to_string();
        let caller = Caller::of(&seats, &township).await;
        let path = "/heliu.operations.v1.OperationsService/GetStatus";
        until("the token is known", async || caller.call(path, Some(&token), Vec::new()).await.is_ok()).await;
        let bytes = caller.call(path, Some(&token), Vec::new()).await.expect("it may");
        ops::GetStatusResponse::decode(&*bytes).expect("a status")
    };
    let whole = status(TOWNSHIP).await;
    assert!(
        !whole.in_part && whole.store_head > 0 && whole.counts.is_some_and(|counts| counts.records == 1),
        "{whole:?}"
    );
    let part = status(VILLAGE).await;
    assert!(part.in_part && part.counts.is_none() && part.store_head == 0 && part.store.is_empty(), "{part:?}");
    assert_eq!((part.node, part.version), (whole.node, whole.version));
}
