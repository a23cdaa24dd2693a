//! Version vectors: of each actor, how many of its changes are in a part of a history. Each change stands on its actor's
//! change before, so a number says which they are, and a look-up whether one change is before another.

/// A change, by its actor and by how many of the actor's are before it. Actors are numbered as this process met them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub actor: u32,
    pub at: u32,
}

/// The numbers of changes by actor, ascending; none of an actor that is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version(Vec<(u32, u32)>);

impl Version {
    pub fn count(&self, actor: u32) -> u32 {
        self.0.binary_search_by_key(&actor, |(actor, _)| *actor).map_or(0, |index| self.0[index].1)
    }

    pub fn has(&self, step: Step) -> bool {
        self.count(step.actor) > step.at
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By actor, how many changes.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Takes in a change, and so all of its actor before it.
    pub fn add(&mut self, step: Step) {
        self.raise(step.actor, step.at + 1);
    }

    /// Takes in all changes of an actor before one.
    pub fn add_before(&mut self, step: Step) {
        if step.at > 0 {
            self.raise(step.actor, step.at);
        }
    }

    /// Takes in what another has.
    pub fn widen(&mut self, other: &Version) {
        other.iter().for_each(|(actor, count)| self.raise(actor, count));
    }

    pub fn forget(&mut self, actor: u32) {
        self.0.retain(|(known, _)| *known != actor);
    }

    fn raise(&mut self, actor: u32, count: u32) {
        match self.0.binary_search_by_key(&actor, |(actor, _)| *actor) {
            Ok(index) => self.0[index].1 = self.0[index].1.max(count),
            Err(index) => self.0.insert(index, (actor, count)),
        }
    }
}
