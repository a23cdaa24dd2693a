//! What can be imported: a kind of record, by the command that makes one, from columns that are its arguments. All of it the
//! node declares; what a file says is in `rows`.

use std::collections::BTreeMap;
use std::ops::Deref;

use heliu_client::Schema;
use heliu_client::schema::{Argument, Field, Kind, Makes, SchemaCommand, SchemaLabel, State, ValueType};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::{clean, nearest, say};

/// Commands that do more than to fill in the fields of what they make: it is found under the right seat, and approved; or it is the one
/// record that two make alike. All other kinds are made by the command that makes any kind.
const OWN: &[&str] = &[MEMBERS, ORGS, FLOATS, POLICY];
const FLOATS: &str = "float.declare";
const POLICY: &str = "policy.set";
const MEMBERS: &str = "member.register";
/// It also takes a region file.
pub const ORGS: &str = "org.create";

/// What clerks write above a column, beside its labels. The declaration has no place for it yet.
const ALSO: &[(&str, &[&str])] = &[
    ("name", &["姓名", "党员姓名", "名称", "全称", "组织名称", "党组织名称", "党组织全称"]),
    (
        "branch",
        &[
            "党支部",
            "支部",
            "支部名称",
            "党支部名称",
            "所属支部",
            "所属党支部",
            "所在党支部",
            "所在支部名称",
            "所在党组织",
            "所属党组织",
        ],
    ),
    ("subject", &["记录", "记录编号", "编号", "id"]),
    ("seat", &["区划代码", "席位代码"]),
    ("member_no", &["党员号", "党员编码", "党员编号"]),
    ("joined_on", &["入党时间", "入党年月", "入党日期", "加入党组织日期", "加入党组织时间"]),
    ("full_on", &["转正时间", "转正年月", "转正日期", "转为正式党员日期"]),
    ("contact", &["电话", "联系电话", "手机", "手机号", "手机号码", "电话号码", "联系方式"]),
    ("birth_date", &["出生年月", "出生时间", "出生年月日", "生日"]),
    ("stage", &["党员类别", "人员类别", "党员类型", "类别"]),
    ("level", &["组织层级", "党组织类别"]),
    ("parent_org", &["上级党组织", "上级组织", "隶属组织"]),
];
/// Columns in which rows are counted: nobody misses them.
const RUNNING: &[&str] = &["序号", "序", "行号", "No", "No.", "#"];
/// Where a record says what a column does, if not in a field of its name; the first that is there.
const READ_AS: &[(&str, &[&str])] = &[
    ("branch", &["effective_home", "home_branch", "birth_branch"]),
    ("level", &["org_level"]),
    ("admitted_on", &["admitted_on", "joined_on"]),
];
/// Numbers that only one may have.
const NUMBERS: &[&str] = &["member_no"];
/// Days by which two of one name are told apart, the surer one first.
const DAYS: &[&str] = &["birth_date", "joined_on"];

/// The columns that a file may have.
#[derive(Clone, Debug)]
pub struct Columns(pub Vec<Argument>);

impl Deref for Columns {
    type Target = [Argument];

    fn deref(&self) -> &[Argument] {
        &self.0
    }
}

impl Columns {
    /// The one of this name, of this label in either language, or of what clerks write for it.
    pub fn called(&self, name: &str) -> Option<&Argument> {
        let named = || self.iter().find(|column| column.name == name);
        let labelled = || self.iter().find(|column| column.label.is(name));
        let also = || self.iter().find(|column| of(ALSO, &column.name).contains(&name));
        named().or_else(labelled).or_else(also)
    }
}

/// What each row gives, and makes.
#[derive(Debug)]
pub struct Form<'s> {
    pub command: &'s SchemaCommand,
    pub kind: &'s Kind,
    /// The arguments that a file may have as columns, called as the kind calls its fields.
    pub columns: Columns,
    /// What all rows give alike: the name of the kind, where the command makes any.
    pub fixed: BTreeMap<String, String>,
}

impl<'s> Form<'s> {
    /// Of the kind that somebody calls so: by its code or its name in either language, also of several (`members`).
    pub fn of(schema: &'s Schema, what: &str) -> Result<Self, Failure> {
        let singular = what.strip_suffix('s').unwrap_or(what);
        let kind = schema.kind_called(what).or_else(|| schema.kind_called(singular));
        let kind = kind.ok_or_else(|| no_kind(schema, what))?;
        let mut own = OWN.iter().filter_map(|name| schema.command(name));
        if let Some(command) = own.find(|command| schema.made_by(command).is_some_and(|made| made.name == kind.name)) {
            let columns = command.arguments.iter().map(|argument| column(kind, argument)).collect();
            return Ok(Form { command, kind, columns: Columns(columns), fixed: BTreeMap::new() });
        }
        let any = schema.commands.iter().find_map(|command| match &command.makes {
            Makes::NamedBy(argument) if command.takes_fields => Some((command, argument)),
            _ => None,
        });
        let (command, naming) = any.ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                "declaration",
                say!("该节点没有能新建任一种类记录的命令", "the node has no command that makes records of any kind"),
            )
        })?;
        let mut columns: Vec<Argument> =
            command.arguments.iter().filter(|argument| argument.name != *naming).cloned().collect();
        for field in kind.fields.iter().filter(|field| field.initial && field.name != *naming) {
            // An argument of the command would be read for it.
            if !columns.iter().any(|column| column.name == field.name) {
                columns.push(column_of(field));
            }
        }
        Ok(Form { command, kind, columns: Columns(columns), fixed: [(naming.clone(), kind.name.clone())].into() })
    }

    /// The column that is called so.
    pub fn column(&self, name: &str) -> Option<&Argument> {
        self.columns.called(name)
    }

    /// Names in the view of a record where it says what this column does.
    pub fn read_as(&self, column: &Argument) -> Vec<&str> {
        match of(READ_AS, &column.name) {
            [] => self.kind.field(&column.name).map(|field| field.name.as_str()).into_iter().collect(),
            names => names.to_vec(),
        }
    }

    /// The field that a column fills in; none: no import changes it.
    pub fn field(&self, column: &Argument) -> Option<&Field> {
        let named = of(READ_AS, &column.name).first().copied().unwrap_or(&column.name);
        self.kind.field(named)
    }

    /// The column with a number that only one record may have.
    pub fn number(&self) -> Option<&Argument> {
        self.columns.iter().find(|column| NUMBERS.contains(&column.name.as_str()))
    }

    /// The column that says where a record belongs: records of one name at different places are others.
    pub fn place(&self) -> Option<&Argument> {
        let named = self.columns.iter().find(|column| column.required && matches!(column.value, ValueType::Record(_)));
        named.or_else(|| self.columns.iter().find(|column| column.name == "seat"))
    }

    /// The columns with days by which two of one name are told apart.
    pub fn days(&self) -> impl Iterator<Item = &Argument> {
        DAYS.iter().filter_map(|name| self.columns.iter().find(|column| column.name == *name))
    }
}

pub fn is_running(name: &str) -> bool {
    RUNNING.contains(&name)
}

fn of<'l>(list: &[(&str, &'l [&'l str])], name: &str) -> &'l [&'l str] {
    list.iter().find(|(named, _)| *named == name).map_or(&[], |(_, others)| others)
}

fn no_kind(schema: &Schema, what: &str) -> Failure {
    let shown = clean(what);
    let names = schema.kinds.iter().flat_map(|kind| [&*kind.name, &*kind.label.zh]).chain(["regions"]);
    let failure = Failure::usage(match what {
        "" => say!("没有写明导入哪一种记录", "it is not said what is to be imported"),
        _ => say!("没有记录种类 {shown}", "there is no kind {shown}"),
    });
    if let Some(near) = nearest(what, names).map(clean) {
        return failure.next(say!("是不是 {near}?", "did you mean {near}?"));
    }
    let said = |label: fn(&Kind) -> &str| schema.kinds.iter().map(|kind| clean(label(kind))).collect::<Vec<_>>();
    let (zh, en) = (said(|kind| &kind.label.zh).join("、"), said(|kind| &kind.name).join(", "));
    failure.next(say!("可导入:{zh},以及区划 regions", "what there is: {en}, and regions"))
}

/// An argument, called as the field that it fills in.
fn column(kind: &Kind, argument: &Argument) -> Argument {
    let field = kind.field(&argument.name);
    let label = field.map_or(&argument.label, |field| &field.label).clone();
    let states = field.filter(|_| !matches!(argument.value, ValueType::Choice(_))).and_then(states);
    let (value, expects) = states.unwrap_or((argument.value.clone(), argument.expects.clone()));
    Argument { label, value, expects, ..argument.clone() }
}

fn column_of(field: &Field) -> Argument {
    let (value, expects) = states(field).unwrap_or((field.value.clone(), field.expects.clone()));
    Argument {
        name: field.name.clone(),
        label: field.label.clone(),
        help: field.help.clone(),
        value,
        expects,
        required: field.required,
        many: field.many,
        sealed: field.sealed,
    }
}

/// What is decided is one of its states.
fn states(field: &Field) -> Option<(ValueType, SchemaLabel)> {
    // None begins with its end.
    let states: Vec<&State> = field.states.iter().filter(|state| !state.ending).collect();
    let words =
        states.iter().map(|state| heliu_client::schema::Word { name: state.name.clone(), label: state.label.clone() });
    let (zh, en): (Vec<&str>, Vec<&str>) =
        states.iter().map(|state| (state.label.zh.as_str(), state.label.en.as_str())).unzip();
    let (zh, en) = (zh.join("、"), en.join(", "));
    let expects = SchemaLabel { zh: format!("以下之一:{zh}"), en: format!("one of: {en}") };
    (!states.is_empty()).then(|| (ValueType::Choice(words.collect()), expects))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served;

    #[test]
    fn every_kind_that_a_node_declares_can_be_imported_by_its_code_or_its_name_in_either_language() {
        let schema = served::schema();
        for kind in &schema.kinds {
            for called in [&kind.name, &kind.label.zh, &kind.label.en, &format!("{}s", kind.name)] {
                let form = Form::of(&schema, called).expect("it is declared");
                assert_eq!(form.kind.name, kind.name, "{called}");
                // There is one policy, which has no name.
                // Who floats is named by his record.
                let is_named = kind.fields.iter().any(|field| field.name == "name") && kind.name != "floating";
                assert_eq!(form.column("name").is_some_and(|column| column.name == "name"), is_named, "{called}");
            }
        }
        let made_by = |called: &str| Form::of(&schema, called).expect("declared").command.name.clone();
        assert_eq!([made_by("党员"), made_by("orgs"), made_by("资源")], [MEMBERS, ORGS, "record.create"]);
        assert_eq!([made_by("流动登记"), made_by("policy"), made_by("需求")], [FLOATS, POLICY, "record.create"]);
        let told = Form::of(&schema, "resuorce").expect_err("there is none");
        assert!(told.next.is_some_and(|next| next.en.contains("did you mean resource?")));
        let told = Form::of(&schema, "").expect_err("none is named");
        assert!(told.next.is_some_and(|next| next.zh.contains("资源")));
    }

    #[test]
    fn the_columns_of_a_kind_are_its_fields_but_for_those_that_are_filled_later() {
        let schema = served::schema();
        let form = Form::of(&schema, "resource").expect("it is declared");
        let column = |called: &str| form.column(called).map(|column| column.name.as_str());
        assert_eq!(
            [column("名称"), column("Open Hours"), column("resource_kind")],
            [Some("name"), Some("open_hours"), Some("resource_kind")]
        );
        assert_eq!((column("bookings"), column("sort")), (None, Some("resource_kind")));
        assert_eq!(form.fixed["kind"], "resource");
        let orgs = Form::of(&schema, "org").expect("it is declared");
        let states = orgs.kind.field("lifecycle").and_then(states).expect("it has some").1;
        assert!(states.zh.contains("运行") && !states.zh.contains("撤销"), "none begins with its end: {states:?}");
        let alliance = Form::of(&schema, "alliance").expect("it is declared");
        assert!(alliance.column("resources").is_some_and(|column| column.many));
    }
}
