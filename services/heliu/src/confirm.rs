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
    let (zh, en) = (&question.zh, &question.en);
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(say!("{zh}:没有人可以确认", "{en}: there is nobody to confirm it"))
            .next(say!("确实要做就加上 --yes", "if it is meant, add --yes")));
    }
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
