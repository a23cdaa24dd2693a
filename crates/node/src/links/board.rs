//! All routes of a node: those it dials, from the start, and those that dial in, once the directory knows who they are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heliu_trust::id::NodeId;

use super::route::Route;

pub(crate) struct Board {
    dialled: Vec<Arc<Route>>,
    /// At most one for each node of the directory.
    accepted: Mutex<Vec<(NodeId, Arc<Route>)>>,
}

impl Board {
    pub fn new(dialled: Vec<Arc<Route>>) -> Self {
        Board { dialled, accepted: Mutex::default() }
    }

    pub fn dialled(&self) -> &[Arc<Route>] {
        &self.dialled
    }

    /// An accepted link has said who it is. The caller has made sure that the directory knows this node.
    pub fn identify(&self, node: NodeId, route: &Arc<Route>) {
        let mut accepted = self.lock();
        match accepted.iter_mut().find(|(known, _)| *known == node) {
            Some((_, known)) if Arc::ptr_eq(known, route) => {}
            Some((_, known)) => {
                route.inherit(known);
                *known = Arc::clone(route);
            }
            None => accepted.push((node, Arc::clone(route))),
        }
    }

    pub fn routes(&self) -> Vec<Arc<Route>> {
        let accepted = self.lock();
        self.dialled.iter().chain(accepted.iter().map(|(_, route)| route)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(NodeId, Arc<Route>)>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
