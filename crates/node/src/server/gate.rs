//! The check before every call, in front of all services, and the deadline of every call.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::{Either, Map, Ready, ready};
use heliu_record::reason::Facts;
use tokio::time::error::Elapsed;
use tokio::time::{Timeout, timeout};
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response, header};
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::refusals as words;
use crate::access::table::{Need, Rule, Scope, rule};
use crate::access::{BadToken, Caller};
use crate::connections::Visitor;
use crate::handle::Inner;

type Answered<E> = Result<Response<Body>, E>;
type InTime<F, E> = Map<Timeout<F>, fn(Result<Answered<E>, Elapsed>) -> Answered<E>>;

#[derive(Clone)]
pub(super) struct GateLayer(Arc<Inner>);

impl GateLayer {
    pub fn new(inner: Arc<Inner>) -> Self {
        GateLayer(inner)
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, next: S) -> Gate<S> {
        Gate { inner: Arc::clone(&self.0), next }
    }
}

#[derive(Clone)]
pub(super) struct Gate<S> {
    inner: Arc<Inner>,
    next: S,
}

impl<S, B> Service<Request<B>> for Gate<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<InTime<S::Future, S::Error>, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.next.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let visitor = request.extensions().get::<Visitor>().cloned();
        match admit(&self.inner, visitor.as_ref(), request.uri().path(), request.headers()) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                let answered = timeout(self.inner.bounds.call, self.next.call(request));
                Either::Left(answered.map(in_time::<S::Error> as fn(_) -> _))
            }
            Err(status) => Either::Right(ready(Ok(status.into_http()))),
        }
    }
}

fn admit(inner: &Inner, visitor: Option<&Visitor>, path: &str, headers: &HeaderMap) -> Result<Caller, Status> {
    // An unknown method is what an older node is asked by a newer client: both are told as much by this code.
    let rule = rule(path).ok_or_else(|| Status::new(Code::Unimplemented, "this node serves no such method"))?;
    let Rule { need, scope } = rule;
    if matches!(need, Need::Open | Need::Node | Need::JoinToken) {
        return Ok(Caller::ANYBODY);
    }
    let Some(secured) = &inner.secured else { return seated(inner, visitor, Caller::ANYBODY) };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = given.and_then(|given| given.strip_prefix("Bearer ")) else {
        return Err(words::no_token().into());
    };
    let entry = secured.doors.open_with(token.trim(), inner.clock.wall_ms()).map_err(|bad| {
        if let Some(visitor) = visitor {
            if secured.doors.attempts.failed(visitor.address.ip()) {
                return words::too_many_attempts();
            }
            let (why, reason) = match bad {
                BadToken::Unknown => (("bad_token", Facts::none()), "its access token is not one of this node's"),
                BadToken::Expired => (("expired_token", Facts::none()), "its access token has expired"),
            };
            inner.connections.refused.note(visitor.address, why, reason, visitor.node);
        }
        match bad {
            BadToken::Unknown if secured.doors.is_amiss() => words::no_access_list(),
            BadToken::Unknown => words::bad_token(),
            BadToken::Expired => words::expired_token(),
        }
    })?;
    match need {
        Need::Role(role) if !entry.roles.contains(&role) => Err(words::missing_role(role, &entry.roles).into()),
        Need::Either(role, other) if !entry.roles.contains(&role) && !entry.roles.contains(&other) => {
            Err(words::missing_role(role, &entry.roles).into())
        }
        _ => {
            let caller = Caller::with(entry);
            reaches(inner, &caller, scope, path)?;
            seated(inner, visitor, caller)
        }
    }
}

/// What is of the whole node, or of the whole county, is not for tokens that are limited to a part of it.
fn reaches(inner: &Inner, caller: &Caller, scope: Scope, path: &str) -> Result<(), Status> {
    let directory = inner.directory.borrow();
    let whole = match scope {
        Scope::Same | Scope::Records | Scope::Seats => return Ok(()),
        Scope::Node => Some(inner.seat),
        Scope::County => directory.county(),
    };
    let sight = caller.sight(directory.seats());
    if whole.is_some_and(|seat| sight.covers(seat, directory.seats())) || sight.is_whole() {
        return Ok(());
    }
    let method = path.rsplit('/').next().unwrap_or_default();
    Err(words::out_of_scope(method, "token").into())
}

/// Its connection is one of those that have shown who they are.
fn seated(inner: &Inner, visitor: Option<&Visitor>, caller: Caller) -> Result<Caller, Status> {
    match visitor {
        Some(visitor) if !visitor.pass.admit() => {
            Err(words::too_many("too_many_connections", inner.limits.connections).into())
        }
        _ => Ok(caller),
    }
}

/// A call that lasted too long is given up. tonic's own deadline would say that the caller had cancelled it.
fn in_time<E>(answered: Result<Answered<E>, Elapsed>) -> Answered<E> {
    answered.unwrap_or_else(|_| Ok(Status::from(words::too_late()).into_http()))
}
