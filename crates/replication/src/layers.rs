//! What work leaves behind in a part, two deep: of the batch under work, and of the one that was sealed last, whose transaction
//! may still be in flight. A part keeps the lower layer as long as it needs it: until that is durable, or, of what a look-up
//! of the store may have missed, until the next batch is sealed.

use std::ops::{Deref, DerefMut};

use crate::durable::Durable;

/// It is used like the layer of the batch under work.
#[derive(Default)]
pub(crate) struct Layers<T> {
    work: T,
    sealed: T,
}

impl<T: Default> Layers<T> {
    /// The batch under work is sealed: the next one begins with nothing.
    pub fn seal(&mut self) {
        self.sealed = std::mem::take(&mut self.work);
    }

    /// Of the batch that was sealed last.
    pub fn sealed(&self) -> &T {
        &self.sealed
    }

    /// What was sealed is durable.
    pub fn publish(&mut self, _: &Durable) -> T {
        std::mem::take(&mut self.sealed)
    }
}

impl<T> Deref for Layers<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.work
    }
}

impl<T> DerefMut for Layers<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_flight_becomes_durable_without_what_is_worked_on_meanwhile() {
        let mut layers = Layers::<Vec<u8>>::default();
        layers.push(1);
        layers.seal();
        layers.push(2);
        assert_eq!((layers.sealed(), &*layers), (&vec![1], &vec![2]));
        let durable = Durable::said(Ok(())).expect("it is");
        assert_eq!(layers.publish(&durable), [1]);
        layers.seal();
        assert_eq!(layers.publish(&durable), [2]);
        assert!(layers.is_empty() && layers.sealed().is_empty());
    }
}
