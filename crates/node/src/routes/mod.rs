//! All routes of a node: those it dials, from the start, and those that dial in, once the directory knows who they are.
//! What is known of one is in `route`; the connections themselves are in `links`.

mod route;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heliu_trust::id::NodeId;

pub(crate) use route::{Route, State, is_misplaced};

pub(crate) struct Routes {
    dialled: Vec<Arc<Route>>,
    /// For each node of the directory that has dialled in, its live connections; the last one if none is live. There may be
    /// several, since two machines may run with one key: that the one comes and goes says nothing of the other.
    accepted: Mutex<Vec<(NodeId, Vec<Arc<Route>>)>>,
}

impl Routes {
    pub fn new(dialled: Vec<Arc<Route>>) -> Self {
        Routes { dialled, accepted: Mutex::default() }
    }

    pub fn dialled(&self) -> &[Arc<Route>] {
        &self.dialled
    }

    /// An accepted link has said who it is. The caller has made sure that the directory knows this node.
    pub fn identify(&self, node: NodeId, route: &Arc<Route>) {
        let mut accepted = self.lock();
        let Some((_, routes)) = accepted.iter_mut().find(|(known, _)| *known == node) else {
            accepted.push((node, vec![Arc::clone(route)]));
            return;
        };
        if routes.iter().any(|known| Arc::ptr_eq(known, route)) {
            return;
        }
        settle(routes);
        if let [last] = &routes[..]
            && !last.lives()
        {
            route.take_over_behind(last);
        }
        routes.push(Arc::clone(route));
        settle(routes);
    }

    pub fn all(&self) -> Vec<Arc<Route>> {
        let mut accepted = self.lock();
        accepted.iter_mut().for_each(|(_, routes)| settle(routes));
        self.dialled.iter().chain(accepted.iter().flat_map(|(_, routes)| routes)).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(NodeId, Vec<Arc<Route>>)>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections that have ended go, and what is remembered of them stays with one that lives, or with the last.
fn settle(routes: &mut Vec<Arc<Route>>) {
    let living = routes.iter().find(|route| route.lives());
    let Some(kept) = living.or_else(|| routes.iter().max_by_key(|route| route.ended())).cloned() else { return };
    routes.retain(|route| {
        let stays = route.lives() || Arc::ptr_eq(route, &kept);
        if !stays {
            kept.inherit(route);
        }
        stays
    });
}
