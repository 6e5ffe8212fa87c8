<?php
// A client on PHP's GearmanClient: client.php HOST PORT [exceptions]
// What it reads and prints: ../doc.go.
ini_set('memory_limit', '1G');

function hex_line(string $event, GearmanTask $task): void
{
    echo $event, ' ', bin2hex((string) $task->data()), "\n";
}

function listen_to_all(GearmanClient $client): void
{
    $client->setCreatedCallback(function ($task) {
        echo 'created ', $task->jobHandle(), "\n";
    });
    $client->setDataCallback(fn ($task) => hex_line('data', $task));
    $client->setWarningCallback(fn ($task) => hex_line('warning', $task));
    $client->setCompleteCallback(fn ($task) => hex_line('complete', $task));
    $client->setExceptionCallback(fn ($task) => hex_line('exception', $task));
    $client->setStatusCallback(function ($task) {
        echo "status {$task->taskNumerator()} {$task->taskDenominator()}\n";
    });
    $client->setFailCallback(function () {
        echo "fail\n";
    });
}

// Refused tells that a call did not come to an end, and that the client is no
// longer good for another one: libgearman goes on counting a task that a lost
// connection has ended, and would wait for it in every later call.
class Refused extends Exception
{
}

function run_tasks(GearmanClient $client): void
{
    @$client->runTasks();
    $fine = [GEARMAN_SUCCESS, GEARMAN_WORK_FAIL, GEARMAN_WORK_EXCEPTION];
    if (!in_array($client->returnCode(), $fine, true)) {
        throw new Refused($client->error());
    }
}

function submit(GearmanClient $client, string $kind, array $words): void
{
    [$function, $priority, $unique, $hex] = $words + [3 => ''];
    $level = ['high' => 'High', 'low' => 'Low', 'normal' => ''][$priority];
    listen_to_all($client);
    $client->{"addTask$level$kind"}($function, hex2bin($hex), null, $unique === 'none' ? null : $unique);
    run_tasks($client);
}

function many(GearmanClient $client, string $function, int $count): void
{
    $right = 0;
    $client->clearCallbacks();
    $client->setCompleteCallback(function ($task) use (&$right) {
        $right += $task->data() === strrev("payload {$task->unique()}") ? 1 : 0;
    });
    for ($i = 0; $i < $count; $i++) {
        $client->addTask($function, "payload $i", null, (string) $i);
    }
    run_tasks($client);
    echo "right $right\n";
}

function state(GearmanClient $client, string $handle): void
{
    [$known, $running, $numerator, $denominator] = $client->jobStatus($handle);
    printf("state %d %d %d %d\n", $known, $running, $numerator, $denominator);
}

function ping(GearmanClient $client, string $hex): void
{
    if (!@$client->ping(hex2bin($hex))) {
        throw new Refused($client->error());
    }
    echo "pong\n";
}

function connected(array $argv): GearmanClient
{
    $client = new GearmanClient();
    $client->addServer($argv[1], (int) $argv[2]);
    if (isset($argv[3])) {
        $client->enableExceptionHandler();
    }
    return $client;
}

function answer(GearmanClient $client, string $verb, array $words): void
{
    match ($verb) {
        'run' => submit($client, '', $words),
        'bg' => submit($client, 'Background', $words),
        'many' => many($client, $words[0], (int) $words[1]),
        'state' => state($client, $words[0]),
        'ping' => ping($client, $words[0]),
    };
}

$client = connected($argv);
while (($line = fgets(STDIN)) !== false) {
    $words = explode(' ', rtrim($line, "\n"));
    try {
        answer($client, array_shift($words), $words);
    } catch (Refused | GearmanException $e) {
        echo 'error ', $e->getMessage(), "\n";
        $client = connected($argv);
    }
    echo "end\n";
}
