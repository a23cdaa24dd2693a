//! stub to be
