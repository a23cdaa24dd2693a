//! The mechanism by itself, with toy kinds: no content of the product is here.

mod toy;
mod versions;
