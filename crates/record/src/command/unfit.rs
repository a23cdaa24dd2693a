//! Refusals of what is of its type and cannot be true, or must not be kept: a number of a person's, a name that names nobody, a day out
//! of all bounds.

use crate::bounds::Improper;
use crate::command::misnamed::Named;
use crate::message::{Message, Refusal, message};

pub(crate) const MESSAGES: &[&Message] =
    &[&IDENTITY_NUMBER, &EMPTY_NAME, &SHORTENED, &TOO_EARLY, &TOO_LATE, &SEALED_EARLY, &SEALED_LATE];

/// It is not repeated: refusals are kept and logged.
pub(crate) const IDENTITY_NUMBER: Message = message("identity_number")
    .what("{0}中有公民身份号码。", "There is an identity number in {0:?}.")
    .why(
        "身份号码属敏感个人信息,不得登记在任何文字中。",
        "An identity number is sensitive personal information and is kept in no text.",
    )
    .next(
        "请删去它;党员编号由乡镇另行编定。",
        "Take it out. A member's number is one that the township gives, not an identity card's.",
    );
const EMPTY_NAME: Message = message("empty_name")
    .what("{0}里没有字。", "There is no letter in {0:?}.")
    .why("只有标点或空白的名称,谁也认不出。", "Nobody is known by blanks and marks alone.")
    .next("请填写完整的名称。", "Give the whole name.");
const SHORTENED: Message = message("bad_value")
    .what("{0}被表格软件截短了:{1}。", "{0:?} was cut short by a table program: {1}.")
    .why("科学记数法丢失了后面的数字。", "What is written with an exponent has lost its last digits.")
    .next("请把该列设为文本格式,重新填写编号。", "Make the column a text column, and type the number again.");
const TOO_EARLY: Message = message("date_out_of_range")
    .what("{0}不会是 {1}。", "{0:?} cannot be {1}.")
    .why("这里的日期不早于 {2}。", "No such day is before {2}.")
    .next("请核对年份。", "Check the year.");
const TOO_LATE: Message = message("date_out_of_range")
    .what("{0}不会是 {1}。", "{0:?} cannot be {1}.")
    .why("这里的日期不晚于 {2}。", "No such day is after {2}.")
    .next("请核对日期;如日期无误,请核对本机时钟。", "Check the day; if it is right, check this machine's clock.");
const SEALED_EARLY: Message = message("date_out_of_range")
    .what("{0}的日期不对。", "The day given for {0:?} is wrong.")
    .why("这里的日期不早于 {1}。", "No such day is before {1}.")
    .next("请核对年份。", "Check the year.");
const SEALED_LATE: Message = message("date_out_of_range")
    .what("{0}的日期不对。", "The day given for {0:?} is wrong.")
    .why("这里的日期不晚于 {1}。", "No such day is after {1}.")
    .next("请核对日期;如日期无误,请核对本机时钟。", "Check the day; if it is right, check this machine's clock.");

/// Why nobody may write that there; without it where it is to be sealed.
pub(crate) fn refused(named: Named<'_>, text: &str, why: &Improper) -> Refusal {
    let is_sealed = named.sealed;
    let name = named.into();
    match why {
        Improper::IdentityNumber => IDENTITY_NUMBER.about(&[name]),
        Improper::NoName => EMPTY_NAME.about(&[name]),
        Improper::Shortened => SHORTENED.about(&[name, text.into()]),
        Improper::Before(first) if is_sealed => SEALED_EARLY.about(&[name, (*first).into()]),
        Improper::After(last) if is_sealed => SEALED_LATE.about(&[name, (&**last).into()]),
        Improper::Before(first) => TOO_EARLY.about(&[name, text.into(), (*first).into()]),
        Improper::After(last) => TOO_LATE.about(&[name, text.into(), (&**last).into()]),
    }
}
