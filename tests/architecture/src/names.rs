//! What one file says by names: what it defines, what it imports, and what it names by a path. Nothing is resolved here.

use std::collections::{BTreeMap, BTreeSet};

/// The names from the root of a crate down to a module or to what it holds.
pub type Path = Vec<String>;

/// What one module says.
#[derive(Default)]
pub struct Module {
    pub file: usize,
    pub defines: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Every path of two names or more, and the line that it stands in.
    pub paths: Vec<(usize, Path)>,
    /// Every name that stands alone, with a line of its own.
    pub words: BTreeMap<String, usize>,
}

pub struct Import {
    pub line: usize,
    pub path: Path,
    /// What it is called here; none for `use ...::*`.
    pub name: Option<String>,
    pub public: bool,
}

/// Reads the code of a file into its modules: the one that it is, and those within.
pub fn read(code: &str, file: usize, path: Path, modules: &mut BTreeMap<Path, Module>, for_tests: &mut BTreeSet<Path>) {
    let module = Module { file, ..Module::default() };
    let open = vec![Open { path, depth: 0, module }];
    Reader { words: words(code), at: 0, depth: 0, open, file, modules, for_tests }.read();
}

/// Reads one file, once, from its first word to its last.
struct Reader<'a> {
    words: Vec<(usize, &'a str)>,
    at: usize,
    depth: usize,
    open: Vec<Open>,
    file: usize,
    modules: &'a mut BTreeMap<Path, Module>,
    for_tests: &'a mut BTreeSet<Path>,
}

/// A module that is being read.
struct Open {
    path: Path,
    /// In how many braces its items are.
    depth: usize,
    module: Module,
}

const DEFINES: &[&str] = &["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod", "macro_rules"];

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> &'a str {
        self.words.get(self.at + ahead).map_or("", |(_, word)| *word)
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek(0);
        self.at += 1;
        word
    }

    fn module(&mut self) -> &mut Module {
        &mut self.open.last_mut().expect("the file itself is open to its end").module
    }

    /// What is called so in the module that is open.
    fn child(&self, name: &str) -> Path {
        let here = self.open.last().map_or(&[][..], |open| &open.path);
        here.iter().cloned().chain([name.to_owned()]).collect()
    }

    /// Modules that end with the braces that are open.
    fn close(&mut self) {
        while let Some(Open { path, module, .. }) = self.open.pop_if(|open| open.depth > self.depth) {
            self.modules.insert(path, module);
        }
    }

    fn read(mut self) {
        let mut public = false;
        while self.at < self.words.len() {
            let among_items = self.open.last().is_some_and(|open| open.depth == self.depth);
            match self.peek(0) {
                "#" => self.attribute(),
                "pub" => {
                    public = true;
                    self.next();
                    if self.peek(0) == "(" && ["crate", "super", "self", "in"].contains(&self.peek(1)) {
                        self.pass_over_brackets();
                    }
                    continue;
                }
                "use" => {
                    self.next();
                    self.import(public);
                }
                "{" => {
                    self.depth += 1;
                    self.next();
                }
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    self.close();
                    self.next();
                }
                word if among_items && DEFINES.contains(&word) => self.item(),
                word if is_name(word) => self.path(),
                _ => drop(self.next()),
            }
            public = false;
        }
        self.depth = 0;
        self.close();
        let Some(Open { path, module, .. }) = self.open.pop() else { return };
        self.modules.insert(path, module);
    }

    /// `#[...]`: what is for tests alone is passed over as a whole.
    fn attribute(&mut self) {
        let mut for_tests = false;
        while self.peek(0) == "#" {
            let inner = self.peek(1) == "!";
            self.at += 1 + usize::from(inner);
            let begin = self.at;
            self.pass_over_brackets();
            let text: String = self.words[begin..self.at].iter().map(|(_, word)| *word).collect();
            if text == "[cfg(test)]" || text.starts_with("[cfg(all(test,") {
                if inner && let Some(open) = self.open.last() {
                    self.for_tests.insert(open.path.clone());
                }
                for_tests |= !inner;
            }
        }
        if for_tests {
            self.pass_over_item();
        }
    }

    fn pass_over_item(&mut self) {
        while self.peek(0) == "pub" {
            self.next();
            if self.peek(0) == "(" {
                self.pass_over_brackets();
            }
        }
        if self.peek(0) == "mod" {
            let child = self.child(self.peek(1));
            self.for_tests.insert(child);
        }
        let (imports, is_item) = (self.peek(0) == "use", DEFINES.contains(&self.peek(0)) || self.peek(0) == "impl");
        while self.at < self.words.len() {
            match self.peek(0) {
                "}" => return,
                ";" => {
                    self.next();
                    return;
                }
                "," if !is_item => {
                    self.next();
                    return;
                }
                "{" => {
                    self.pass_over_brackets();
                    if !imports {
                        return;
                    }
                }
                "(" | "[" => self.pass_over_brackets(),
                _ => drop(self.next()),
            }
        }
    }

    fn pass_over_brackets(&mut self) {
        let mut depth = 0;
        while self.at < self.words.len() {
            match self.next() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn item(&mut self) {
        let keyword = self.next();
        if keyword == "macro_rules" {
            self.next();
        }
        let name = self.peek(0).to_owned();
        if !is_name(&name) || DEFINES.contains(&&*name) || ["unsafe", "async", "extern"].contains(&&*name) {
            return;
        }
        self.next();
        if keyword != "mod" {
            self.module().defines.insert(name);
        } else if self.peek(0) == "{" {
            self.depth += 1;
            let module = Module { file: self.file, ..Module::default() };
            self.open.push(Open { path: self.child(&name), depth: self.depth, module });
            self.next();
        }
    }

    fn path(&mut self) {
        let line = self.words[self.at].0;
        let after = self.at.checked_sub(1).map_or("", |before| self.words[before].1);
        let mut path = vec![self.next().to_owned()];
        while self.peek(0) == "::" && is_name(self.peek(1)) {
            self.next();
            path.push(self.next().to_owned());
        }
        let is_bound = path.len() == 1 && self.peek(0) == "=" && !["=", ">"].contains(&self.peek(1));
        if after == "." || after == "::" || is_bound {
            return;
        }
        let module = self.module();
        module.words.entry(path[0].clone()).or_insert(line);
        if path.len() > 1 {
            module.paths.push((line, path));
        }
    }

    /// The tree behind `use`, up to its semicolon.
    fn import(&mut self, public: bool) {
        let mut trunks: Vec<Path> = Vec::new();
        let mut path: Path = Vec::new();
        let mut called = None;
        loop {
            let line = self.words.get(self.at).map_or(0, |(line, _)| *line);
            match self.next() {
                "{" => trunks.push(path.clone()),
                "as" => called = Some(self.next().to_owned()),
                "*" => path.push("*".to_owned()),
                end @ ("," | "}" | ";" | "") => {
                    // Behind a closed brace the path is its trunk's: what grew there is entered already.
                    if path.len() > trunks.last().map_or(0, Vec::len) {
                        self.enter_import(line, std::mem::take(&mut path), called.take(), public);
                    }
                    if end == "}" {
                        trunks.pop();
                    }
                    path = trunks.last().cloned().unwrap_or_default();
                    if end == ";" || end.is_empty() {
                        return;
                    }
                }
                name if is_name(name) => path.push(name.to_owned()),
                _ => {}
            }
        }
    }

    fn enter_import(&mut self, line: usize, mut path: Path, called: Option<String>, public: bool) {
        let name = match path.last().map(String::as_str) {
            Some("*") => {
                path.pop();
                None
            }
            Some("self") if path.len() > 1 => {
                path.pop();
                called.or_else(|| path.last().cloned())
            }
            _ => called.or_else(|| path.last().cloned()),
        };
        self.module().imports.push(Import { line, path, name, public });
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Names, numbers, `::`, and every other character for itself, with their lines. A lifetime is left out.
fn words(code: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let (mut rest, mut line) = (code, 1);
    while let Some(first) = rest.chars().next() {
        let in_word = |char: char| char.is_alphanumeric() || char == '_';
        let length = match first {
            '\'' => 1 + rest[1..].find(|char| !in_word(char)).unwrap_or(rest.len() - 1),
            'r' if rest.starts_with("r#") => 2,
            ':' | '.' if rest[1..].starts_with(first) => 2,
            _ if in_word(first) => rest.find(|char| !in_word(char)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, tail) = rest.split_at(length);
        if first == '\n' {
            line += 1;
        } else if !first.is_whitespace() && first != '\'' && word != "r#" {
            words.push((line, word));
        }
        rest = tail;
    }
    words
}
