//! What cannot be undone is asked once more: a person on a terminal answers, a script says `--yes`.

use std::io::{BufRead as _, IsTerminal as _};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::Stream;
use crate::text::{Say, say, tr};

pub fn confirm(question: &Say, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(say!(
            "要先有人确认,而这里没有终端可以询问;什么也没有做",
            "somebody has to confirm this first, and there is no terminal to ask at; nothing was done"
        ))
        .why(question.clone())
        .next(say!("确实要做就加上 --yes", "if it is meant, add --yes")));
    }
    let (zh, en) = (&question.zh, &question.en);
    let asked = tr!("{zh}。确实要做请输入 yes:", "{en}. Type yes to go on: ");
    let mut typed = String::new();
    let heard = Stream::Err.write(&asked).and_then(|()| std::io::stdin().lock().read_line(&mut typed));
    if heard.is_ok() && typed.trim() == "yes" {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "not_confirmed",
        say!("没有确认,什么也没有做", "it was not confirmed; nothing was done"),
    ))
}
