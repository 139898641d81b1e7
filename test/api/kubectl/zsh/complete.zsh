# An interactive zsh in a terminal of its own: sources a completion script, types a line with a tab at its end, and prints
# what then stands on the line. zsh -f complete.zsh ZSH COMMON SCRIPT LINE WANTED; ZSH and COMMON are unpacked packages.
local root=$1 common=$2 script=$3 line=$4 wanted=$5 screen
local compiled=($root/usr/lib/*-linux-gnu/zsh/*(/N))
local written=($common/usr/share/zsh/functions $common/usr/share/zsh/functions/**/*(/))
module_path=($compiled)
zmodload zsh/zpty || exit 3
# Read by the inner zsh before anything else: it has no modules where it was built to look for them.
print -r -- "module_path=($compiled) fpath=($written) PS1='' TERM=dumb" > $ZDOTDIR/.zshenv
print -r -- "autoload -U compinit; compinit -u -D; source $script; print re''ady" > $ZDOTDIR/.zshrc
zpty shell "$root/bin/zsh -d -i"
zpty -r shell screen '*ready*' || exit 4
zpty -w -n shell "$line"$'\t'
zpty -r shell screen "*$wanted" || exit 5
print -r -- "$screen"
zpty -d shell
