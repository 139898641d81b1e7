// `kubectl wholegroup completion`: scripts for shells, and the program that kubectl's own completion asks.
import { type Command, Argument } from 'commander';
import type { CommandContext } from '../../command-context.ts';

/** The last line of what `__complete` prints says whether files may be offered as well (4: they may not), as cobra's does. */
const bash = `# Completion of kubectl-wholegroup for bash: source it.
# "kubectl wholegroup" is completed by kubectl's own script, once kubectl_complete-wholegroup is in PATH.
_kubectl_wholegroup() {
    local current="\${COMP_WORDS[COMP_CWORD]}" words=("\${COMP_WORDS[@]:1:COMP_CWORD}") lines=() line
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local cword
        _get_comp_words_by_ref -n '=:' -c current -w words -i cword
        words=("\${words[@]:1:cword}")
    fi
    mapfile -t lines < <("\${COMP_WORDS[0]}" __complete "\${words[@]}" 2>/dev/null)
    COMPREPLY=()
    for line in "\${lines[@]}"; do
        case "$line" in
            :*) ((\${line#:} & 4)) && compopt +o default 2>/dev/null ;;
            *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
        esac
    done
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
    return 0
}
complete -o default -F _kubectl_wholegroup kubectl-wholegroup
`;

const zsh = `#compdef kubectl-wholegroup
# Completion of kubectl-wholegroup for zsh: source it, or put it into a folder of fpath as _kubectl-wholegroup.
# "kubectl wholegroup" is completed by kubectl's own script, once kubectl_complete-wholegroup is in PATH.
_kubectl_wholegroup() {
    local -a lines choices
    local line directive=0
    lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "\${lines[@]}"; do
        case "$line" in
            '') ;;
            :*) directive="\${line#:}" ;;
            *) choices+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
        esac
    done
    if (( \${#choices} )); then
        _describe 'wholegroup' choices
    elif (( ! (directive & 4) )); then
        _files
    fi
}
if [ "\${funcstack[1]}" = "_kubectl-wholegroup" ]; then
    _kubectl_wholegroup
else
    compdef _kubectl_wholegroup kubectl-wholegroup
fi
`;

const kubectl = `#!/bin/sh
# kubectl's own completion runs this program, found in PATH as kubectl_complete-wholegroup, for "kubectl wholegroup".
exec kubectl wholegroup __complete "$@"
`;

/** Every script, by the name of what reads it. */
export const completionScripts = { bash, zsh, kubectl } as const;

/** Adds the command. */
export function addCompletionCommand(program: Command, { streams, done }: CommandContext): void {
  program
    .command('completion')
    .description(
      'print a completion script for a shell; or for kubectl: save it as kubectl_complete-wholegroup in PATH, executable',
    )
    .addArgument(new Argument('<shell>', 'which').choices(Object.keys(completionScripts)))
    .action((shell: keyof typeof completionScripts) => {
      streams.out(completionScripts[shell]);
      done(0);
    });
}
