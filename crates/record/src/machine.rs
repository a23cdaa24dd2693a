//! States as data: what a log of decisions can fold to, and who may decide it. The folding is in [`decision`](crate::decision).

use heliu_words::{Label, label};

use crate::writer::Writer;

/// States that a log of decisions folds to. Precedence beats time: of the decisions that stand, the highest wins.
#[derive(Debug)]
pub struct StateMachine {
    /// Where a record is that nobody decided about; the first state.
    pub states: &'static [State],
}

impl StateMachine {
    #[must_use]
    pub fn initial(&self) -> &'static State {
        &self.states[0]
    }

    #[must_use]
    pub fn state(&self, name: &str) -> Option<&'static State> {
        self.states.iter().find(|s| s.name == name)
    }
}

#[derive(Debug)]
pub struct State {
    pub name: &'static str,
    pub label: Label,
    /// The states from which a decision may lead here; checked when a command is given, never on merging.
    pub from: &'static [&'static str],
    /// Who may decide it, and so who may supersede such a decision.
    pub writer: Writer,
    /// Of concurrent decisions the one with the highest rank stands. An ending has a high rank.
    pub rank: u8,
    /// Whether it is an end of life: only a decision that cites it reopens.
    pub ending: bool,
    /// The states that two may have decided without seeing each other, neither of which stands then, but this one.
    pub between: &'static [&'static str],
    /// Whoever may decide it may do so in place of any state that it follows, whoever decided that.
    pub over_any: bool,
    /// What deciding it means, where it is easily taken for something else or cannot be taken back: people are asked first.
    pub means: Option<Label>,
}

impl State {
    #[must_use]
    pub const fn new(
        name: &'static str,
        label: Label,
        rank: u8,
        writer: Writer,
        from: &'static [&'static str],
    ) -> Self {
        State { name, label, from, writer, rank, ending: false, between: &[], over_any: false, means: None }
    }

    /// A fact that a superior's decision before it does not rule out: that a meeting passed something, that somebody died.
    #[must_use]
    pub const fn over_any(self) -> Self {
        State { over_any: true, ..self }
    }

    /// Nobody decides it: it stands where two decided differently.
    #[must_use]
    pub const fn between(self, between: &'static [&'static str]) -> Self {
        State { between, ..self }
    }

    #[must_use]
    pub const fn ending(self) -> Self {
        State { ending: true, ..self }
    }

    #[must_use]
    pub const fn means(self, zh: &'static str, en: &'static str) -> Self {
        State { means: Some(label(zh, en)), ..self }
    }
}
