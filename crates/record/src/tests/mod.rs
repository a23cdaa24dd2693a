//! The mechanism by itself, with toy kinds: no content of the product is here.

mod entries;
mod toy;
mod versions;
