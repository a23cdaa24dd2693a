//! The mechanism by itself, with toy kinds: no content of the product is here.

mod entries;
mod planned;
mod toy;
mod versions;
