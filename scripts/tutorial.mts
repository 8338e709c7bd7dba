/** From each step and each error of the tutorial to what covers it now: the table of README.md and README.ko.md. */

/** Where the message comes from, so that a test can prove that it exists. */
export type Proof =
  | { readonly kind: 'check'; readonly id: string }
  /** The beginning of the id of a resource. */
  | { readonly kind: 'resource'; readonly id: string }
  /** Words of a diagnosis or a refusal, as they stand in a file of the role. */
  | { readonly kind: 'diagnosis' | 'refusal'; readonly text: string };

export interface Row {
  /** Where the tutorial says it. */
  readonly chapter: string;
  readonly en: string;
  readonly ko: string;
  readonly role: string;
  readonly proof: Proof;
  /** What the program does about it, in a few words. */
  readonly does: { readonly en: string; readonly ko: string };
}

export const TUTORIAL: readonly Row[] = [
  {
    chapter: 'STG.01',
    en: 'Create virtual machines',
    ko: 'VM 인스턴스 생성',
    role: 'gcp-instances',
    proof: { kind: 'resource', id: 'instance ' },
    does: {
      en: 'makes them from the inventory, with disks, addresses and keys; `lab-hosts` makes hosts on this machine instead',
      ko: '인벤토리대로 디스크, 주소, 키까지 갖춰 만든다. `lab-hosts`는 대신 이 컴퓨터에 호스트를 만든다',
    },
  },
  {
    chapter: 'STG.01',
    en: 'Install Java',
    ko: 'Java 설치',
    role: 'java',
    proof: { kind: 'check', id: 'java-home' },
    does: { en: 'installs a packaged Java 17, or uses the one that `java_home` names', ko: '패키지 Java 17을 설치하거나 `java_home`의 Java를 쓴다' },
  },
  {
    chapter: 'STG.01',
    en: 'Start Kafka with JMX, create a topic',
    ko: 'JMX를 켠 Kafka 기동, 토픽 생성',
    role: 'kafka',
    proof: { kind: 'check', id: 'listeners' },
    does: {
      en: 'JMX asks for a login and listens on the private address; data is kept outside of /tmp',
      ko: 'JMX는 로그인을 요구하고 내부 주소에서만 열린다. 데이터는 /tmp 밖에 둔다',
    },
  },
  {
    chapter: 'STG.01',
    en: 'Send tracks.csv with a producer, read it with a consumer',
    ko: 'tracks.csv를 producer로 보내고 consumer로 읽기',
    role: 'tracks-producer',
    proof: { kind: 'check', id: 'events' },
    does: { en: 'one topic for both, made beforehand; each has its own JMX port and data path', ko: '둘이 같은 토픽을 쓰고 JMX 포트와 data path는 따로 둔다' },
  },
  {
    chapter: '01',
    en: 'Error: max file descriptors [4096] … is too low',
    ko: '오류: max file descriptors [4096] … is too low',
    role: 'os-limits',
    proof: { kind: 'check', id: 'session-limits' },
    does: {
      en: 'limits.d for logins, `LimitNOFILE` for services: limits.conf alone does nothing for those',
      ko: '로그인은 limits.d, 서비스는 `LimitNOFILE`: limits.conf만으로는 서비스에 적용되지 않는다',
    },
  },
  {
    chapter: '01',
    en: 'Error: vm.max_map_count [65530] is too low',
    ko: '오류: vm.max_map_count [65530] is too low',
    role: 'os-limits',
    proof: { kind: 'check', id: 'max-map-count' },
    does: { en: 'sets it now and for the next boot, in one file of its own', ko: '지금 값과 재부팅 후 값을 전용 파일 하나로 설정한다' },
  },
  {
    chapter: '02',
    en: 'Download and unpack Elasticsearch',
    ko: 'Elasticsearch 다운로드와 압축 해제',
    role: 'elasticsearch',
    proof: { kind: 'resource', id: 'archive elasticsearch' },
    does: { en: 'verified by its pinned digest before it is unpacked', ko: '압축을 풀기 전에 고정된 다이제스트로 검증한다' },
  },
  {
    chapter: '02',
    en: 'Error: the default discovery settings are unsuitable',
    ko: '오류: the default discovery settings are unsuitable',
    role: 'elasticsearch',
    proof: { kind: 'check', id: 'nodes' },
    does: { en: 'seed hosts and founders come from the group `es_masters`', ko: 'seed 호스트와 초기 마스터는 그룹 `es_masters`에서 온다' },
  },
  {
    chapter: '02',
    en: 'Error: an IP in initial_master_nodes, "skipping cluster bootstrapping", "master not discovered yet"',
    ko: '오류: initial_master_nodes에 IP 입력, "skipping cluster bootstrapping", "master not discovered yet"',
    role: 'elasticsearch',
    proof: { kind: 'refusal', text: 'an external address is never a publish address' },
    does: { en: 'entries are compared with names and publish addresses before anything starts', ko: '기동 전에 항목을 노드 이름과 publish 주소에 대조한다' },
  },
  {
    chapter: '02',
    en: 'Run Elasticsearch, in the background with a pid file',
    ko: 'Elasticsearch 실행(백그라운드, pid 파일)',
    role: 'elasticsearch',
    proof: { kind: 'check', id: 'master' },
    does: {
      en: 'a systemd service, stopped with SIGTERM; a pid file where there is no systemd',
      ko: 'systemd 서비스로 실행하고 SIGTERM으로 멈춘다. systemd가 없으면 pid 파일을 쓴다',
    },
  },
  {
    chapter: '02',
    en: 'curl localhost:9200',
    ko: 'curl localhost:9200',
    role: 'elasticsearch',
    proof: { kind: 'check', id: 'version' },
    does: { en: 'asks version, elected master, members and health at the address of each node', ko: '각 노드 주소에서 버전, 마스터, 구성원, 상태를 묻는다' },
  },
  {
    chapter: '03',
    en: 'Install Kibana, server.host: "0.0.0.0"',
    ko: 'Kibana 설치, server.host: "0.0.0.0"',
    role: 'kibana',
    proof: { kind: 'check', id: 'status' },
    does: {
      en: 'binds the private address; a public one is refused unless the inventory says so in words',
      ko: '내부 주소에 바인드한다. 공인 주소는 인벤토리에 명시하지 않으면 거부한다',
    },
  },
  {
    chapter: '03',
    en: 'Error 1: Port 5601 is already in use, kill -9',
    ko: 'ERROR 유형 1: Port 5601 is already in use, kill -9',
    role: 'kibana',
    proof: { kind: 'refusal', text: 'kibana_take_over_port' },
    does: {
      en: 'names the owner and changes nothing; `kibana_take_over_port: true` stops it cleanly',
      ko: '점유 프로세스를 알려 주고 아무것도 바꾸지 않는다. `kibana_take_over_port: true`면 정상 종료시킨다',
    },
  },
  {
    chapter: '03',
    en: 'Error 2: Unable to connect to Elasticsearch. Error: Request Timeout (kakfa-monitoring)',
    ko: 'ERROR 유형 2: Unable to connect to Elasticsearch. Error: Request Timeout (kakfa-monitoring)',
    role: 'kibana',
    proof: { kind: 'diagnosis', text: 'Unable to connect to Elasticsearch' },
    does: {
      en: 'looks for the cause in Elasticsearch; the misspelt name is refused before it is written',
      ko: '원인을 Elasticsearch에서 찾는다. 잘못 쓴 이름은 쓰기 전에 거부한다',
    },
  },
  {
    chapter: '04',
    en: 'Open ports 5601 and 9000 in the firewall',
    ko: '방화벽에서 5601, 9000 포트 열기',
    role: 'firewall-gcloud',
    proof: { kind: 'resource', id: 'firewall rule ' },
    does: {
      en: 'for `firewall_gcloud_operators` only, never for everybody; 9000 only where the Kafka manager is on; data ports stay between the hosts',
      ko: '`firewall_gcloud_operators`에게만 열고 모두에게 열지 않는다. 9000은 Kafka manager를 켰을 때만. 데이터 포트는 호스트끼리만 쓴다',
    },
  },
  {
    chapter: '05',
    en: 'Install Logstash and logstash-input-jmx',
    ko: 'Logstash와 logstash-input-jmx 설치',
    role: 'logstash-jmx',
    proof: { kind: 'resource', id: 'plugin logstash-input-jmx' },
    does: {
      en: 'installed once, online or from an offline pack; hardened again afterwards',
      ko: '온라인 또는 오프라인 팩으로 한 번 설치하고 다시 보안 처리한다',
    },
  },
  {
    chapter: '06',
    en: 'Write jmx_conf/broker01.conf',
    ko: 'jmx_conf/broker01.conf 작성',
    role: 'logstash-jmx',
    proof: { kind: 'resource', id: 'file /etc/logstash-jmx' },
    does: {
      en: 'one file for each JVM of the inventory; Produce and FetchConsumer no longer share one name',
      ko: '인벤토리의 JVM마다 파일 하나. Produce와 FetchConsumer가 더는 같은 이름을 쓰지 않는다',
    },
  },
  {
    chapter: '07',
    en: 'Write and run the pipeline',
    ko: '파이프라인 작성과 실행',
    role: 'logstash-jmx',
    proof: { kind: 'check', id: 'events' },
    does: { en: 'tested before it replaces the running one; the debug output is off', ko: '실행 중인 것을 바꾸기 전에 검사한다. 디버그 출력은 끈다' },
  },
  {
    chapter: '07',
    en: 'Error: Failed to retrieve RMIServer stub … Connection refused (JMX_PORT)',
    ko: '오류: Failed to retrieve RMIServer stub … Connection refused (JMX_PORT)',
    role: 'logstash-jmx',
    proof: { kind: 'diagnosis', text: 'runs without JMX: nobody listens on' },
    does: {
      en: 'names the broker, whether it is stopped or has no JMX, and the command for it',
      ko: '어느 브로커인지, 멈췄는지 JMX가 없는지, 다음 명령이 무엇인지 알려 준다',
    },
  },
  {
    chapter: '07',
    en: 'curl _cat/indices: yellow open kafka_mon',
    ko: 'curl _cat/indices: yellow open kafka_mon',
    role: 'metrics-index',
    proof: { kind: 'check', id: 'template' },
    does: {
      en: 'explicit types, as many replicas as data nodes can hold, daily indices that are deleted in time',
      ko: '명시적 매핑, 데이터 노드 수에 맞는 복제본, 때가 되면 지워지는 일별 인덱스',
    },
  },
  {
    chapter: '08',
    en: 'Open http://<External IP>:9000',
    ko: 'http://<External IP>:9000 접속',
    role: 'kibana-dashboards',
    proof: { kind: 'check', id: 'panels' },
    does: {
      en: 'dashboards are made, and each panel’s query is proven to return data; the page is Kibana’s, on 5601',
      ko: '대시보드를 만들고 패널마다 데이터가 나오는지 확인한다. 접속할 곳은 Kibana의 5601이다',
    },
  },
];

const TITLES = {
  en: ['tutorial', 'step or error', 'role', 'what covers it', 'check or message'],
  ko: ['튜토리얼', '단계 또는 오류', '역할', '대응', '점검 항목 또는 메시지'],
} as const;

const KINDS = {
  en: { check: 'check', resource: 'resource', diagnosis: 'diagnosis', refusal: 'refusal' },
  ko: { check: '점검', resource: '리소스', diagnosis: '진단', refusal: '거부' },
} as const;

/** The table as Markdown. */
export function tutorialTable(language: 'en' | 'ko'): string {
  const rows = TUTORIAL.map(({ chapter, role, proof, does, ...row }) => [chapter, row[language], `\`${role}\``, does[language], shown(proof, language)]);
  return [TITLES[language], TITLES[language].map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function shown(proof: Proof, language: 'en' | 'ko'): string {
  const name = 'text' in proof ? proof.text : proof.id;
  return name === '' ? '' : `${KINDS[language][proof.kind]} \`${name}\``;
}
