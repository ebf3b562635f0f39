{{/* The pod, the same in a Deployment and in a StatefulSet. */}}
{{- define "exporter.pod" -}}
metadata:
  labels:
    {{- include "exporter.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: exporter
    {{- if not (or .Values.demo.enabled .Values.existingConfigMap) }}
    checksum/config: {{ include "exporter.config" . | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "exporter.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: exporter
      image: {{ include "exporter.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- if .Values.demo.enabled }}
        - --demo
        - --demo.instances={{ .Values.demo.instances }}
        {{- else }}
        - --config.file=/etc/exporter/config/config.yaml
        {{- end }}
        - --web.listen-address=:{{ .Values.containerPort }}
        - --web.telemetry-path={{ .Values.web.telemetryPath }}
        {{- if .Values.webConfig.existingSecret }}
        - --web.config.file=/etc/exporter/web/web-config.yaml
        {{- end }}
        {{- if .Values.web.enableLifecycle }}
        - --web.enable-lifecycle
        {{- end }}
        - --log.level={{ .Values.log.level }}
        - --log.format={{ .Values.log.format }}
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - name: NODE_OPTIONS
          value: --max-old-space-size={{ .Values.maxOldSpaceMiB }}
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: http
          containerPort: {{ .Values.containerPort }}
          protocol: TCP
      startupProbe:
        {{- include "exporter.probe" (dict "probes" .Values.probes "path" "/-/healthy") | nindent 8 }}
        periodSeconds: 2
        failureThreshold: 30
      livenessProbe:
        {{- include "exporter.probe" (dict "probes" .Values.probes "path" "/-/healthy") | nindent 8 }}
        periodSeconds: 20
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        {{- include "exporter.probe" (dict "probes" .Values.probes "path" "/-/ready") | nindent 8 }}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      {{- with include "exporter.mounts" . }}
      volumeMounts:
        {{- . | trim | nindent 8 }}
      {{- end }}
  {{- with include "exporter.volumes" . }}
  volumes:
    {{- . | trim | nindent 4 }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "exporter.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "exporter.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ .probes.scheme }}
  {{- with .probes.httpHeaders }}
  httpHeaders:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "exporter.mounts" -}}
{{- if not .Values.demo.enabled }}
- name: config
  mountPath: /etc/exporter/config
  readOnly: true
{{- end }}
{{- if .Values.credentials.existingSecret }}
- name: credentials
  mountPath: {{ .Values.credentials.mountPath }}
  readOnly: true
{{- end }}
{{- if .Values.webConfig.existingSecret }}
- name: web-config
  mountPath: /etc/exporter/web
  readOnly: true
{{- end }}
{{- if .Values.state.enabled }}
- name: state
  mountPath: /var/lib/exporter
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "exporter.volumes" -}}
{{- if not .Values.demo.enabled }}
- name: config
  configMap:
    name: {{ default (include "exporter.fullname" .) .Values.existingConfigMap }}
{{- end }}
{{- with .Values.credentials.existingSecret }}
- name: credentials
  secret:
    secretName: {{ . }}
    defaultMode: 288 # 0440
{{- end }}
{{- with .Values.webConfig.existingSecret }}
- name: web-config
  secret:
    secretName: {{ . }}
    defaultMode: 288 # 0440
{{- end }}
{{- if and .Values.state.enabled (not (include "exporter.sharded" .)) }}
- name: state
  persistentVolumeClaim:
    claimName: {{ default (include "exporter.fullname" .) .Values.state.existingClaim }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "exporter.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .Values.state.storageClassName }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .Values.state.size }}
{{- end -}}
