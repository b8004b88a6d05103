/** Each asks the very program that is typed for `__complete <words…>`, whose answer is a proposal and a tab-separated brief a line. */
export const completionScripts = {
  bash: `_starform() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _starform starform
`,
  zsh: `#compdef starform
_starform() {
  local -a proposals
  proposals=("\${(@f)$("\${words[1]}" __complete "\${words[@]:1:$((CURRENT-1))}" 2>/dev/null | sed 's/:/\\\\:/g; s/\\t/:/')}")
  [[ -n "$proposals" ]] && _describe 'starform' proposals || _files
}
compdef _starform starform
`,
  fish: `complete -c starform -f -a '(starform __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
} as const;
