//! What people may not type, whatever command takes it: each text in its one spelling and within the bounds of its type, and nobody's
//! identity number anywhere.

use heliu_words::identity_number::holds_identity_number;

use super::Planner;
use crate::bounds::Improper;
use crate::change::{Container, Scalar};
use crate::command::misnamed::Named;
use crate::command::unfit::{self, IDENTITY_NUMBER};
use crate::command::write::{RecordWrite, Write, WriteValue};
use crate::decision::Decision;
use crate::kind::{Kind, Merge, ValueType, label};
use crate::message::Refusal;
use crate::naming::kind_of;
use crate::sealed::Plaintext;

impl Planner<'_> {
    /// Before anything else is said of what was typed, and so perhaps repeated.
    pub(super) fn check_typed(&self) -> Result<(), Refusal> {
        for (name, text) in &self.request.arguments {
            if holds_identity_number(text) {
                return Err(IDENTITY_NUMBER.about(&[self.named(name).into()]));
            }
        }
        let said = [(&self.request.reason, label("事由", "the reason")), (&self.request.who, label("经办人", "who"))];
        match said.into_iter().find(|(text, _)| holds_identity_number(text)) {
            Some((_, name)) => Err(IDENTITY_NUMBER.about(&[name.into()])),
            None => Ok(()),
        }
    }

    /// Each text that is written, in its one spelling.
    pub(super) fn spell(&mut self) {
        let kinds: Vec<Option<&'static Kind>> = self.writes.iter().map(|write| self.written_kind(write)).collect();
        for (write, kind) in self.writes.iter_mut().zip(kinds) {
            for put in &mut write.writes {
                let Some((_, value)) = kind.and_then(|kind| typed_at(kind, put)) else { continue };
                if let WriteValue::Value(Scalar::Text(text)) | WriteValue::ToSeal(Plaintext(Scalar::Text(text))) =
                    &mut put.value
                {
                    *text = value.spelled(text).into_owned();
                }
            }
        }
    }

    pub(super) fn check_proper(&self, write: &RecordWrite) -> Result<(), Refusal> {
        let Some(kind) = self.written_kind(write) else { return Ok(()) };
        write.writes.iter().try_for_each(|put| self.check_put(kind, put))
    }

    fn check_put(&self, kind: &'static Kind, put: &Write) -> Result<(), Refusal> {
        let (WriteValue::Value(Scalar::Text(text)) | WriteValue::ToSeal(Plaintext(Scalar::Text(text)))) = &put.value
        else {
            return Ok(());
        };
        let proper = |named: Named<'_>, value: ValueType, text: &str| {
            value.check(text, self.today).map_err(|why: Improper| unfit::refused(named, text, &why))
        };
        if let Some((named, value)) = typed_at(kind, put) {
            return proper(named, value, text);
        }
        let field = put.key.split('/').next().and_then(|name| kind.field(name));
        let Some(field) = field.filter(|field| matches!(field.merge, Merge::State(_))) else { return Ok(()) };
        let decision = Decision::parse(text).unwrap_or_default();
        if !decision.effective_on.is_empty() {
            proper(field.into(), ValueType::Date, decision.effective_on)?;
        }
        proper(self.named("decision_no"), ValueType::Number(60), decision.number)
    }

    fn written_kind(&self, write: &RecordWrite) -> Option<&'static Kind> {
        let made = write.create.as_ref().map(|preimage| &*preimage.kind);
        let name = made.or_else(|| self.met(write.record).map(|record| &*record.preimage.kind))?;
        kind_of(self.declared.kinds(), name)
    }
}

/// What people call the place of a put, and the type of what stands there: of a field or a part of an entry.
fn typed_at(kind: &'static Kind, put: &Write) -> Option<(Named<'static>, ValueType)> {
    let mut path = put.key.splitn(3, '/');
    let field = path.next().and_then(|name| kind.field(name)).filter(|_| put.container != Container::Scope)?;
    match field.merge {
        Merge::Lww | Merge::Mv | Merge::Log => Some((field.into(), field.value)),
        Merge::Slot(_) | Merge::Entries(_) => {
            path.nth(1).and_then(|part| field.part(part)).map(|part| (part.into(), part.value))
        }
        Merge::Aws | Merge::State(_) => None,
    }
}
