//! Which file of a crate uses which other: read from the sources by their names, as far as the compiler's help is not
//! needed. Here files and names only; what may use what is judged in `circles`.
//!
//! The rule: files are what is joined, and A uses B when A names something that B *defines*, in a `use`, in a path, or
//! by a name that a `use ...::*` brings. Re-exports are followed to where the thing is defined, so a parent that declares
//! its children and hands on what they define uses none of them; one that works with it does. Visibilities
//! (`pub(in a::b)`) use nothing, and neither does what is for tests alone. A method that is called on a value is not
//! seen: an `impl` in a child's file is a part of its parent's type.

use std::collections::{BTreeMap, BTreeSet};

use crate::lexer::code_only;
use crate::names::{self, Module, Path};

/// The modules of one crate by their paths from its root, inline ones too; those for tests alone are left out.
pub struct Modules {
    files: Vec<String>,
    modules: BTreeMap<Path, Module>,
}

/// Where a name leads.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Found {
    Module(Path),
    /// Something that the file of this number defines.
    In(usize),
}

impl Modules {
    /// A crate of these files: (path below `src`, source).
    pub fn read(sources: &[(String, String)]) -> Self {
        let mut read = Self { files: sources.iter().map(|(file, _)| file.clone()).collect(), modules: BTreeMap::new() };
        let mut for_tests = BTreeSet::new();
        for (file, (path, source)) in sources.iter().enumerate() {
            let code = code_only(source);
            names::read(&code, file, module_path(path), &mut read.modules, &mut for_tests);
        }
        read.modules.retain(|path, _| (0..=path.len()).all(|length| !for_tests.contains(&path[..length])));
        read
    }

    /// The files that are not for tests alone.
    pub fn files(&self) -> Vec<&str> {
        let used: BTreeSet<usize> = self.modules.values().map(|module| module.file).collect();
        used.into_iter().map(|file| &*self.files[file]).collect()
    }

    /// Who uses whom: for each pair of files a place where the first one does.
    pub fn uses(&self) -> BTreeMap<(&str, &str), String> {
        let mut uses = BTreeMap::new();
        for (path, module) in &self.modules {
            let mut add = |line: usize, name: &[String], found: Option<Found>| {
                if let Some(Found::In(file)) = found
                    && file != module.file
                {
                    let place = || format!("line {line}: {}", name.join("::"));
                    uses.entry((&*self.files[module.file], &*self.files[file])).or_insert_with(place);
                }
            };
            for (line, name) in &module.paths {
                add(*line, name, self.resolve(path, name, 0));
            }
            for import in &module.imports {
                let found = self.resolve(path, &import.path, 0);
                match (&import.name, found) {
                    (None, Some(Found::Module(from))) => {
                        for (word, line) in &module.words {
                            add(*line, std::slice::from_ref(word), self.look_up(&from, word, true, 0));
                        }
                    }
                    (Some(name), found) if import.public => {
                        if let Some(line) = module.words.get(name) {
                            add(*line, std::slice::from_ref(name), found);
                        }
                    }
                    (_, found) => add(import.line, &import.path, found),
                }
            }
        }
        uses
    }

    /// What a path means in a module. Nothing that is of another crate, or local to a function, is found.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<Found> {
        let mut at = module.to_vec();
        let mut rest = path;
        let from_here = rest.first().is_some_and(|head| ["crate", "self", "super"].contains(&head.as_str()));
        while let Some((head, tail)) = rest.split_first() {
            match head.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = tail;
        }
        let mut found = Found::Module(at);
        for (index, name) in rest.iter().enumerate() {
            let Found::Module(at) = &found else { break };
            match self.look_up(at, name, index + 1 == rest.len(), depth) {
                Some(next) => found = next,
                None if index == 0 && !from_here => return None,
                // Made by a macro, or in a way that is not understood here: it is that module's in any case.
                None => return Some(Found::In(self.modules.get(at)?.file)),
            }
        }
        Some(found)
    }

    /// What a name means in a module. A module and a function may have one name: the last of a path is the function.
    fn look_up(&self, at: &[String], name: &str, last: bool, depth: usize) -> Option<Found> {
        if depth > 16 {
            return None;
        }
        let module = self.modules.get(at)?;
        let child: Path = at.iter().cloned().chain([name.to_owned()]).collect();
        let child = self.modules.contains_key(&child).then_some(Found::Module(child));
        let named = || {
            if module.defines.contains(name) {
                return Some(Found::In(module.file));
            }
            let import = module.imports.iter().find(|import| import.name.as_deref() == Some(name))?;
            self.resolve(at, &import.path, depth + 1)
        };
        let brought = || {
            module.imports.iter().filter(|import| import.name.is_none()).find_map(|import| {
                match self.resolve(at, &import.path, depth + 1)? {
                    Found::Module(from) if from != at => self.look_up(&from, name, last, depth + 1),
                    _ => None,
                }
            })
        };
        if last { named().or(child) } else { child.or_else(named) }.or_else(brought)
    }
}

/// `a/mod.rs` and `a.rs` are the module `a`.
fn module_path(file: &str) -> Path {
    let mut path: Path = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        path.pop();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `a.rs` uses, if it is this code, beside a crate of some other files.
    fn used(code: &str) -> Vec<String> {
        let others = [
            (
                "lib.rs",
                "mod a;\nmod b;\npub mod c;\npub use b::B as Alias;\npub use c::*;\nmacro_rules! say { () => {} }",
            ),
            ("b.rs", "pub struct B;\npub enum Kind { One }\npub fn c() {}"),
            ("c/mod.rs", "pub mod d;\npub use d::{self, D};\nuse crate::b::Kind;\n"),
            ("c/d.rs", "pub struct D;\npub mod e { pub struct E; pub use super::D as Inner; }"),
        ];
        let sources = others.into_iter().chain([("a.rs", code)]);
        let read = Modules::read(&sources.map(|(path, text)| (path.to_owned(), text.to_owned())).collect::<Vec<_>>());
        let uses = read.uses();
        uses.keys().filter(|(from, _)| *from == "a.rs").map(|(_, to)| (*to).to_owned()).collect()
    }

    #[test]
    fn what_is_defined_elsewhere_is_used_however_it_is_named() {
        for (code, file) in [
            ("use crate::b::B;", "b.rs"),
            ("use crate::Alias;", "b.rs"),
            ("use super::{b::{B as C, Kind}};", "b.rs"),
            ("fn f() -> crate::b::B { todo(0..1) }", "b.rs"),
            ("use crate::b;\nfn f() { b::Kind::One }", "b.rs"),
            ("use crate::b::*;\nfn f(_: B) {}", "b.rs"),
            ("use crate::b::Kind::*;\nfn f() {}", "b.rs"),
            ("use crate::D;", "c/d.rs"),
            ("use crate::c::d::e::Inner;", "c/d.rs"),
            ("use crate::c::d as other;\nfn f() { other::e::E }", "c/d.rs"),
            ("mod inner { use super::super::c::d::D; }", "c/d.rs"),
            ("pub use crate::b::B;\nfn f(_: B) {}", "b.rs"),
            ("fn f(x: u8) { x.max(0..crate::b::made_by_a_macro!()) }", "b.rs"),
            ("const X: &str = \"crate::c::d::D\"; fn f() { crate::say!() }", "lib.rs"),
            ("use crate::b::c;", "b.rs"),
            ("#[cfg(not(test))]\nuse crate::b::B;", "b.rs"),
        ] {
            assert_eq!(used(code), [file], "{code}");
        }
    }

    #[test]
    fn what_only_looks_like_a_use_is_none() {
        for code in [
            "pub use crate::b::B;",
            "pub(in crate::b) struct X; pub(super) fn f() {}",
            "use crate::b;",
            "use std::b::B; fn f() { other::b::B }",
            "pub use crate::b::Kind as Item;\nfn f() -> impl Iterator<Item = u8> {}",
            "#[cfg(test)]\nmod tests { use crate::b::B; }",
            "#[cfg(test)]\nuse crate::b::B;",
            "#[cfg(all(test, unix))]\nfn f<A, B>(_: crate::b::B) { crate::c::d::D }",
            "struct X { #[cfg(test)] b: crate::b::B, y: u8 }",
            "// crate::b::B\n/// [`crate::b::B`]\nfn f<'a>(_: &'a str) {}",
            "fn f(x: X) { x.crate_b(); Self::b(); }",
        ] {
            assert_eq!(used(code), [""; 0], "{code}");
        }
    }

    #[test]
    fn a_module_for_tests_alone_is_not_there_nor_is_what_it_holds() {
        let sources = [("lib.rs", "#[cfg(test)]\nmod tests;"), ("tests/mod.rs", "mod more;"), ("tests/more.rs", "")];
        let read = Modules::read(&sources.map(|(path, text)| (path.to_owned(), text.to_owned())));
        assert_eq!(read.files(), ["lib.rs"]);
    }
}
