{{/*
Names are fixed: a cluster can have one wholegroup. Whoever watches a node's groups twice would take them twice.
*/}}
{{- define "wholegroup.labels" -}}
app.kubernetes.io/name: wholegroup
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{/*
Labels of the pods of a component, which choose them too: {component}. No version is among them: pods are replaced when
something changes for them, and a simulated kernel that is replaced is a machine that was rebooted.
*/}}
{{- define "wholegroup.selector" -}}
app.kubernetes.io/name: wholegroup
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* All labels of an object of a component: {root, component}. */}}
{{- define "wholegroup.componentLabels" -}}
{{ include "wholegroup.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "wholegroup.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Whether an object of the Prometheus operator is wanted: {root, wanted}. "true" or nothing. */}}
{{- define "wholegroup.monitored" -}}
{{- if eq (toString .wanted) "true" -}}
true
{{- else if and (eq (toString .wanted) "auto") (.root.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") -}}
true
{{- end -}}
{{- end }}

{{/* Probes of a component that listens: {port}. */}}
{{- define "wholegroup.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: observe}
  periodSeconds: 1
  # A node with nothing to spare takes minutes to start a program; to kill it for that makes it begin anew.
  failureThreshold: 300
livenessProbe:
  httpGet: {path: /healthz, port: observe}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: observe}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{/* Text of the topology file; nothing when the machine is a bundled one, which has a name alone. */}}
{{- define "wholegroup.topology" -}}
{{- $machine := .Values.simulatedKernel.topology -}}
{{- if not (kindIs "string" $machine) -}}
{{ $machine | toPrettyJson }}
{{- else if contains "\n" $machine -}}
{{ $machine }}
{{- end -}}
{{- end }}
