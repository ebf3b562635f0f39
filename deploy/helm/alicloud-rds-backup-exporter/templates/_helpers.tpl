{{- define "exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 52 characters: a pod of a StatefulSet adds its number, and a revision hash goes into a label of 63. */}}
{{- define "exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "exporter.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "exporter.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "exporter.labels" -}}
{{ include "exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "exporter.sharded" -}}
{{- if gt (int .Values.shards) 1 -}}true{{- end -}}
{{- end -}}

{{/* The configuration as the exporter reads it: what the user wrote, and the two blocks that follow from the chart. */}}
{{- define "exporter.config" -}}
{{- if not .Values.config.accounts -}}
{{- fail "config.accounts is empty: say which accounts and regions to poll, or set existingConfigMap, or demo.enabled=true to try the exporter without an account" -}}
{{- end -}}
{{- $config := deepCopy .Values.config -}}
{{- if include "exporter.sharded" . -}}
{{- $_ := set $config "sharding" (dict "index" "auto" "count" (int .Values.shards)) -}}
{{- end -}}
{{- if .Values.state.enabled -}}
{{- $_ := set $config "state" (dict "path" "/var/lib/exporter") -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Combinations that would be accepted and then not do what they say. */}}
{{- define "exporter.check" -}}
{{- if and .Values.demo.enabled (or .Values.config .Values.existingConfigMap) -}}
{{- fail "demo.enabled ignores config and existingConfigMap: set one of them only" -}}
{{- end -}}
{{- if and .Values.demo.enabled (or (include "exporter.sharded" .) .Values.state.enabled) -}}
{{- fail "demo.enabled knows neither shards nor state" -}}
{{- end -}}
{{- if or (hasKey .Values.config "sharding") (hasKey .Values.config "state") -}}
{{- fail "config.sharding and config.state are written by the chart: set shards and state.enabled" -}}
{{- end -}}
{{- if and .Values.config .Values.existingConfigMap -}}
{{- fail "config and existingConfigMap are both set: set one of them only" -}}
{{- end -}}
{{- if and .Values.state.existingClaim (include "exporter.sharded" .) -}}
{{- fail "state.existingClaim is one claim, but each shard needs its own: leave it empty" -}}
{{- end -}}
{{- end -}}
