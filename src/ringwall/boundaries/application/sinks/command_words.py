"""What is known of programs: those that are a shell by another name, and options that make others run
code, write or reach out.

Of the kinds that GTFOBins and the argument-injection lists collect.
"""

from .words import words

INTERPRETERS = words("""
    sh bash dash ash zsh ksh mksh fish csh tcsh rbash busybox toybox cmd powershell pwsh wscript cscript mshta
    env xargs parallel sudo doas su runuser chroot unshare nsenter setpriv capsh nohup nice ionice time
    timeout watch strace ltrace gdb lldb script expect screen tmux setsid stdbuf taskset start-stop-daemon
    flock run-parts at batch crontab systemd-run python python2 python3 pypy pypy3 perl ruby node nodejs
    deno bun php lua luajit tclsh wish awk gawk mawk nawk sed ed ex vi vim nvim view rvim nano emacs pico
    less more most man pg java jshell groovy scala ghc ghci r rscript julia gcc cc make cmake gmake ssh scp
    sftp telnet nc ncat netcat socat eval exec source
    """)
"""Programs, in small letters, that can't be allowed with arguments of a model's choice: their arguments are
code, or another program."""

WITH_SUBCOMMANDS = words(
    "git docker podman kubectl helm npm yarn pnpm pip cargo go gh aws az gcloud systemctl terraform svn hg"
)
"""Programs that do so many things that which of them must be said."""
RUNNING: dict[str, frozenset[str]] = {
    "git": words(
        "config bisect submodule filter-branch difftool mergetool send-email daemon instaweb hook var"
    ),
    "npm": words("exec x run run-script start test config set explore init create"),
    "go": words("run generate tool test"),
    "cargo": words("run test bench build"),
    "docker": words("run exec build buildx compose cp plugin"),
    "podman": words("run exec build compose cp"),
    "kubectl": words("exec run debug cp plugin edit proxy port-forward"),
}
"""Subcommands that run what their arguments, or files below the working folder, say."""

DANGEROUS: dict[str, frozenset[str]] = {
    "git": words("""
        -c --config --config-env --exec-path --git-dir --work-tree --upload-pack --receive-pack --exec -x
        --output -o --template --open-files-in-pager -O --ext-diff --textconv --no-index --contents
        --separate-git-dir --reference --extcmd --output-directory --pathspec-from-file
        --recurse-submodules --remote-submodules --remote --strategy --server-option --edit-description
        --unsafe-paths
        """),
    "git clone": frozenset({"-u"}),
    "git ls-remote": frozenset({"-u"}),
    "git grep": frozenset({"-f"}),
    "git tag": words("-e --edit"),
    "git commit": words("-F --file -t --edit -e"),
    "find": words("-exec -execdir -ok -okdir -delete -fprint -fprint0 -fprintf -fls -files0-from"),
    "ls": frozenset(),
    "cat": frozenset(),
    "head": frozenset(),
    "tail": words("-f -F --follow --retry --pid"),
    "wc": frozenset({"--files0-from"}),
    "grep": words("-f --file -P --perl-regexp"),
    "rg": words(
        "--pre --pre-glob --hostname-bin -f --file -z --search-zip --ignore-file -P --pcre2 --engine"
    ),
    "sort": words("-o --output --compress-program -T --temporary-directory --files0-from --random-source"),
    "diff": words("--from-file --to-file -l --paginate"),
    "du": words("--files0-from -X --exclude-from"),
    "df": frozenset(),
    "id": frozenset(),
    "pwd": frozenset(),
    "echo": frozenset(),
    "uname": frozenset(),
    "uptime": frozenset(),
    "whoami": frozenset(),
    "date": words("-s --set -f --file -r --reference"),
    "stat": frozenset(),
    "basename": frozenset(),
    "dirname": frozenset(),
    "sha256sum": words("-c --check"),
    "md5sum": words("-c --check"),
}
"""Program (and subcommand) → options that it doesn't get unless they are listed. A program that is not
here gets no option but listed ones."""
ONE_WORD = frozenset({"find"})
"""Programs that read ``-xyz`` as one option; the others as ``-x -y -z``, or as ``-x`` with the value
``yz``."""
DASHLESS = words("tar bsdtar ar ps")
"""Programs that read their first argument as options even without a dash."""
SCHEMES = tuple(
    sorted(words("ext:: fd:: file: dict: gopher: ldap: smb: scp: sftp: tftp: telnet: jar: netdoc:"))
)
"""Addresses that programs run, or read files with."""
