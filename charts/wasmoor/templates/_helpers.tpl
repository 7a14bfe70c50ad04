{{- define "wasmoor.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "wasmoor.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "wasmoor.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "wasmoor.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "wasmoor.serviceAccountName" -}}
{{- default (include "wasmoor.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "wasmoor.selectorLabels" -}}
app.kubernetes.io/name: {{ include "wasmoor.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "wasmoor.labels" -}}
{{ include "wasmoor.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: wasmoor
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image's reference. Takes (list image chart). */}}
{{- define "wasmoor.image" -}}
{{- $image := index . 0 -}}
{{- $chart := index . 1 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default $chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The mirrors as the operator takes them: HOST=URL,HOST=URL. */}}
{{- define "wasmoor.mirrors" -}}
{{- $pairs := list -}}
{{- range $host, $url := .Values.registryMirrors -}}
{{- $pairs = append $pairs (printf "%s=%s" $host $url) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end -}}
